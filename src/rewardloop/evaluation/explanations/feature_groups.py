"""Which features belong together, and which of them vary at all. Names only: no policy and no reward lives here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import chain
from typing import Literal, NamedTuple

from rewardloop.features import Features
from rewardloop.interactions import Interactions

Source = Literal["context", "action"]
By = Literal["group", "feature"]


class Group(NamedTuple):
    """Features that are taken away together."""

    of: Source
    name: str
    features: frozenset[str]
    varied: float
    """Share of the rows that do not have the most frequent value, of the feature that varies most."""


def group_name(feature: str) -> str:
    """What stands before the first `.` or `[`.

    >>> [group_name(name) for name in ("age", "device.os", "scores[3]", "[odd]")]
    ['age', 'device', 'scores', '[odd]']
    """
    return feature.split(".", 1)[0].split("[", 1)[0] or feature


def feature_groups(log: Interactions, by: By) -> list[Group]:
    """Those of the contexts and of the actions, the ones that vary on most rows first; the constant ones last."""
    sets = {id(offered): offered.features or () for offered in log.actions}.values()
    groups = [*_groups("context", log.contexts, by), *_groups("action", list(chain.from_iterable(sets)), by)]
    return sorted(groups, key=lambda group: -group.varied)


def _groups(of: Source, rows: Sequence[Features], by: By) -> list[Group]:
    members: dict[str, dict[str, float]] = {}
    for feature, varied in _varied(rows).items():
        members.setdefault(group_name(feature) if by == "group" else feature, {})[feature] = varied
    return [Group(of, name, frozenset(features), max(features.values())) for name, features in members.items()]


def _varied(rows: Sequence[Features]) -> dict[str, float]:
    values: dict[str, Counter[float | str]] = {}
    for row in rows:
        for name, value in row.items():
            values.setdefault(name, Counter())[value] += 1
    return {name: 1 - _most_frequent(counts, len(rows)) / len(rows) for name, counts in values.items()}


def _most_frequent(counts: Counter[float | str], n: int) -> int:
    """How often the most frequent value occurs; being absent is one of them."""
    return max(*counts.values(), n - counts.total())
