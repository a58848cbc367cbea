"""Whether a table can be history at all, told by its columns before its first row."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import MappingProxyType

from rewardloop.errors import InvalidInput, did_you_mean
from rewardloop.exchange.dsjson.reading import is_dsjson
from rewardloop.exchange.open_bandit.reading import is_open_bandit

_NEEDED = (("action", "values"), ("reward",))
"""One of each, whatever else there is."""
_SEPARATORS = MappingProxyType({";": "semicolons", "\t": "tabs", "|": "bars"})


def check_columns(names: Sequence[str], path: Path) -> None:
    """Raises `InvalidInput` for what every row would lack, once, with the nearest name that is there."""
    row = dict[str, object].fromkeys(names)
    if is_open_bandit(row) or is_dsjson(row):
        return
    for needed in _NEEDED:
        if row.keys().isdisjoint(needed):
            raise InvalidInput(f"Expected a column `{needed[0]}`, got {_told(names)}{_hint(needed[0], names)}", at=str(path))


def _told(names: Sequence[str]) -> str:
    return ", ".join(f"`{name[:40]}`" for name in names[:8]) + (", …" if len(names) > 8 else "")


def _hint(needed: str, names: Sequence[str]) -> str:
    separators = [told for mark, told in _SEPARATORS.items() if len(names) == 1 and mark in names[0]]
    if separators:
        return f"; columns are separated by commas here, not by {separators[0]}"
    folded = {name.casefold(): name for name in names}
    near = did_you_mean(needed, folded)
    return f"; rename `{folded[near.split('`')[1]]}`, if that is it" if near else ""
