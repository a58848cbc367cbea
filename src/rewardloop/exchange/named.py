"""Which experiment the rows of a file name, and the rows of one of them. What else they say is not known here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from rewardloop.errors import InvalidInput, NotFound, did_you_mean
from rewardloop.exchange.rows import Values

MAX_EXPERIMENTS = 100
_SHOWN = 5


class Names:
    """Rows by the experiment they name, and which of them are asked for: all, or those that name `only`."""

    def __init__(self, only: str | None = None) -> None:
        self.counts: Counter[str] = Counter()
        self.n_others = 0
        """Rows that are not asked for."""
        self._only = only

    def takes(self, values: Values) -> bool:
        """Whether the row is asked for; it is counted either way."""
        name = experiment_of(values)
        if name and (name in self.counts or len(self.counts) < MAX_EXPERIMENTS):
            self.counts[name] += 1
        taken = self._only is None or name == self._only
        self.n_others += not taken
        return taken

    def check_known(self, path: Path) -> None:
        """Raises `NotFound` where no row named the one that is asked for."""
        if self._only is not None and self._only not in self.counts:
            known = f"; they name {told(self.counts)}" if self.counts else "; they name none"
            near = did_you_mean(self._only, self.counts)
            raise NotFound(f"No row of `{path}` names the experiment `{self._only}`{known}{near}")

    def check_one(self, at: str) -> None:
        """Raises `InvalidInput` where rows of several are asked for."""
        if self._only is None:
            check_one(self.counts, at)


def experiment_of(values: Values) -> str:
    """Empty where the row names none.

    >>> experiment_of({"experiment": "offers", "action": "red"})
    'offers'
    """
    return str(values.get("experiment") or "")


def check_one(experiments: Mapping[str, int], at: str) -> None:
    """Raises `InvalidInput` for rows that name several."""
    if len(experiments) > 1:
        several = f"{len(experiments)}: {told(experiments)}"
        raise InvalidInput(f"Expected the rows of one experiment, got those of {several}; ask for one with `--only`", at=at)


def told(experiments: Mapping[str, int]) -> str:
    """The most frequent, with their rows.

    >>> told({"offers": 1200, "banners": 3})
    '`offers` (1,200 rows), `banners` (3 rows)'
    """
    most = sorted(experiments.items(), key=lambda item: -item[1])
    names = ", ".join(f"`{name}` ({n:,} {'rows' if n != 1 else 'row'})" for name, n in most[:_SHOWN])
    return names + (" …" if len(most) > _SHOWN else "")
