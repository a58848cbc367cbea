"""The Open Bandit Dataset's files (Saito et al. 2021): `all.csv`, `men.csv`, `women.csv` and the `item_context.csv` beside them.

A row shows one item at one of three positions: `item_id` is the action, `click` the reward, `propensity_score` the logged
probability; the position, the user's features and the affinities are the context.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rewardloop.exchange.rows import RawRow, Values

MARKS = frozenset({"item_id", "position", "click", "propensity_score"})
ITEMS = "item_context.csv"


def is_open_bandit(values: Values) -> bool:
    return values.keys() >= MARKS


def native_from_open_bandit(values: Values, items: list[Values] | None) -> Values:
    """A native row; `items` (None: the experiment's own fixed arms, named by item id) are offered with their features."""
    context = {name: value for name, value in values.items() if name and name.startswith(("user", "position"))}
    row: Values = {
        "context": context,
        "action": str(values["item_id"]),
        "reward": values["click"],
        "probability": values["propensity_score"],
        "timestamp": _iso(values.get("timestamp")),
    }
    return row if items is None else row | {"actions": items}


def read_items(rows: Iterator[RawRow]) -> list[Values]:
    """Actions with features from the rows of `item_context.csv`."""
    return [
        {
            "id": str(row.values["item_id"]),
            "features": {name: value for name, value in row.values.items() if name.startswith("item_feature")},
        }
        for row in rows
        if row.values is not None and "item_id" in row.values
    ]


def items_beside(path: Path) -> Path | None:
    """The file of item features that the data set keeps beside its logs."""
    beside = path.with_name(ITEMS)
    return beside if beside.is_file() and beside != path else None


def _iso(value: object) -> object:
    """`2019-11-24 00:00:15.004101+00:00`: ISO 8601 already, but for a blank cell."""
    return value if isinstance(value, str) else None
