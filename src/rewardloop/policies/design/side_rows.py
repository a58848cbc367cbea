"""One side of the terms as numbers: features of contexts, or of actions, in their places. Products are `term_rows`' business."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rewardloop.features import Features
from rewardloop.interactions import Floats, Ints
from rewardloop.policies.design.numbers import Numbers
from rewardloop.policies.design.terms import ID, Side
from rewardloop.policies.scaling import LIMIT, Scaler
from rewardloop.tables import Table

_NO_WORDS: Sequence[Features] = ({},)


class SideRows:
    """Values of one side. Numbers are z-scored and clipped; absent, or for once a word, they are their mean."""

    def __init__(self, side: Side, unit: float) -> None:
        self._side, self._unit = side, unit
        self._names = tuple(side.numbers)
        self.places = np.array([0, *side.numbers.values()], dtype=np.intp)
        """(1 + m,) of the constant and the numbers."""
        self._numbers = Numbers(self._names)
        self._words = tuple(side.words.items())
        self._products = np.array(list(side.products.values()), dtype=np.intp)
        self._one, self._other = np.array(list(side.products), dtype=np.intp).reshape(-1, 2).T
        self._only_numbers = len(self.places) == len(side) and not self._words
        self._in_order = np.array_equal(self.places, np.arange(len(side)))
        self._high = np.array([1.0] + [LIMIT] * len(self._names))
        self._low = -self._high
        self._units = np.array([1.0] + [unit] * len(self._names))

    def rescale(self, scaler: Scaler) -> None:
        """Follows a scaler that has learned more."""
        affine = np.array([(0.0, 1.0), *(scaler.affine(name) for name in self._names)])
        self._mean: Floats = affine[:, 0].copy()
        self._scale: Floats = affine[:, 1].copy()
        self._numbers.stand_in(self._mean[1:].tolist())

    def row(self, features: Features) -> Floats:
        """(p + 1,)"""
        numbers = self._scaled(self._numbers.row(features))
        if self._in_order and self._only_numbers:
            return numbers
        row = np.zeros(len(self._side))
        row[self.places] = numbers
        for name, places in self._words:
            place = places.get(features.get(name))  # type: ignore[arg-type]
            if place is not None:
                row[place] = self._unit
        if len(self._products):
            row[self._products] = row[self._one] * row[self._other]
        return row

    def rows(self, many: Sequence[Features]) -> Floats:
        """(n, p + 1): `row` of each."""
        rows = np.zeros((len(many), len(self._side)))
        rows[:, self.places] = self._scaled(self._numbers.rows(many))
        for name, places in self._words:
            for row, features in enumerate(many):
                place = places.get(features.get(name))  # type: ignore[arg-type]
                if place is not None:
                    rows[row, place] = self._unit
        if len(self._products):
            rows[:, self._products] = rows[:, self._one] * rows[:, self._other]
        return rows

    def columns(self, rows: Sequence[Features], ids: Sequence[str]) -> tuple[Floats, Ints]:
        """(1 + m, n) numbers of n rows; (w, K) the place of each one's word for w names, one behind the last where it has none."""
        words = [self._places_of(rows, ids, name) for name, _ in self._words]
        return self._scaled(self._numbers.rows(rows)).T, np.array(words, dtype=np.intp).reshape(-1, len(ids))

    def columns_of_table(self, table: Table, ids: Sequence[str]) -> tuple[Floats, Ints]:
        """`columns` of its rows, none of which has a word."""
        words = [self._places_of(_NO_WORDS, ids, name) for name, _ in self._words]
        return self._scaled(self._numbers.of_table(table)).T, np.array(words, dtype=np.intp).reshape(-1, len(ids))

    def _places_of(self, rows: Sequence[Features], ids: Sequence[str], name: str) -> list[int]:
        places, nowhere = self._side.words[name], len(self._side)
        values = ids if name == ID else [row.get(name) for row in rows] * (len(ids) // len(rows))
        return [places.get(value, nowhere) for value in values]  # type: ignore[arg-type]

    def _scaled(self, values: Floats) -> Floats:
        z: Floats = (values - self._mean) * self._scale
        np.minimum(z, self._high, out=z)
        np.maximum(z, self._low, out=z)
        z *= self._units
        return z
