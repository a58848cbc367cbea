"""The numbers of features as arrays of doubles: looked up and packed. They are neither scaled nor placed here."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import NamedTuple, Self

import numpy as np

from rewardloop.features import Features
from rewardloop.interactions import Floats, Ints
from rewardloop.tables import Table


class _Reading(NamedTuple):
    """How tables of some names are read."""

    names: tuple[str, ...]
    found: Ints
    """Which of their columns are wanted."""
    to: Ints
    """Where they go."""

    @classmethod
    def of(cls, names: tuple[str, ...], wanted: Sequence[str]) -> Self:
        places = {name: i for i, name in enumerate(names)}
        known = [(places[name], 1 + i) for i, name in enumerate(wanted) if name in places]
        return cls(names, *np.array(known, dtype=np.intp).reshape(-1, 2).T)


class Numbers:
    """1 and what stands under `names`; what is absent or, for once, a word is the number that stands in for it.

    >>> numbers = Numbers(["age", "price"])
    >>> numbers.stand_in([40.0, 2.5])
    >>> numbers.row({"age": 31, "price": "high"})
    array([ 1. , 31. ,  2.5])
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = tuple(names)
        self._get = _getter(self._names)
        self._reading: _Reading | None = None
        self._pack = struct.Struct(f"{1 + len(self._names)}d").pack
        self.stand_in([0.0] * len(self._names))

    def stand_in(self, means: Sequence[float]) -> None:
        """A number for each name."""
        self._absent = dict(zip(self._names, means, strict=True))
        self._blank = np.array([1.0, *means])

    def row(self, features: Features) -> Floats:
        """(1 + m,)"""
        return np.frombuffer(self._packed(features))

    def rows(self, many: Sequence[Features]) -> Floats:
        """(n, 1 + m)"""
        pack, get = self._pack, self._get
        try:  # Most often all are there, which is told by two calls for each.
            packed = [pack(1.0, *get(features)) for features in many]
        except (KeyError, struct.error):
            packed = [self._packed(features) for features in many]
        return np.frombuffer(b"".join(packed)).reshape(len(many), 1 + len(self._names))

    def of_table(self, table: Table) -> Floats:
        """(n, 1 + m): `rows` of them."""
        if self._reading is None or self._reading.names != table.names:
            self._reading = _Reading.of(table.names, self._names)
        rows = np.empty((len(table), len(self._blank)))
        rows[:] = self._blank
        rows[:, self._reading.to] = table.values[:, self._reading.found]
        return rows

    def _packed(self, features: Features) -> bytes:
        try:
            return self._pack(1.0, *self._get(features))
        except (KeyError, struct.error):
            found = [(features.get(name, absent), absent) for name, absent in self._absent.items()]
            return self._pack(1.0, *(absent if type(value) is str else value for value, absent in found))


def _getter(names: Sequence[str]) -> Callable[[Features], Sequence[object]]:
    """Values under the given names, in their order."""
    if len(names) > 1:
        return itemgetter(*names)
    return lambda features: [features[name] for name in names]
