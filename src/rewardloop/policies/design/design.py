"""Contexts as rows of the design: looked up, scaled, multiplied out. Which feature is which column is `columns`' business."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np

from rewardloop.features import Features
from rewardloop.interactions import Floats
from rewardloop.policies.design.columns import Columns
from rewardloop.policies.design.folding import Folding
from rewardloop.policies.design.numbers import Numbers
from rewardloop.policies.scaling import LIMIT, Scaler


class Design:
    """Rows of the given columns, as they are now: make another when the columns have grown.

    A number is z-scored and clipped to ±5; absent it is 0, its mean. A name or word without a column is passed over. What is
    not the constant is in `columns.unit`s.

    >>> columns, scaler = Columns.new(limit=256), Scaler()
    >>> events = [{"age": 20, "os": "ios"}, {"age": 40, "os": "linux"}]
    >>> columns.grow(events); scaler.update(events)
    >>> Design(columns, scaler).row({"age": 45, "os": "ios"})
    array([1.  , 1.5 , 1.  , 0.  , 2.25, 1.5 , 0.  ])
    """

    def __init__(self, columns: Columns, scaler: Scaler) -> None:
        self._columns = columns
        self._names = tuple(columns.numbers)
        self._numbers = Numbers(self._names)
        self._places = np.array([0, *columns.numbers.values()], dtype=np.intp)
        self._words = tuple(columns.words.items())
        self._only_numbers = len(columns) == len(self._places)
        # In front, the constant is a factor of every product that has fewer than three.
        padded = [(0, 0, 0)[len(pair) :] + pair for pair in columns.pairs]
        self._third, self._first, self._second = np.array(padded, dtype=np.intp).T.copy()
        self._linear, self._named = not self._first.any(), columns.named
        # A product that was asked for by name is expected to matter as much as a feature, not as one of very many products.
        self._share = columns.unit ** -(np.count_nonzero(padded, axis=1) - 1.0).clip(0.0) if columns.named else np.ones(1)
        self._high = np.array([1.0] + [LIMIT * columns.unit] * len(self._names))
        self._low = -self._high
        self.rescale(scaler)

    @property
    def width(self) -> int:
        """d, the constant included."""
        return len(self._first)

    @cached_property
    def folding(self) -> Folding | None:
        """Of quadratic forms of rows; None where they have no products, or not all of them (a word has no square)."""
        if self._linear or self._named or not self._only_numbers:
            return None
        return Folding.of(self._first, self._second)

    def rescale(self, scaler: Scaler) -> None:
        """Follows a scaler that has learned more."""
        self._scaler = scaler
        affine = np.array([(0.0, 1.0), *(scaler.affine(name) for name in self._names)])
        self._mean: Floats = affine[:, 0].copy()
        self._scale: Floats = affine[:, 1].copy()
        self._scale[1:] *= self._columns.unit
        self._numbers.stand_in(self._mean[1:].tolist())

    def row(self, context: Features) -> Floats:
        """(d,)"""
        e: Floats = self._numbers.row(context) - self._mean
        e *= self._scale
        np.maximum(e, self._low, out=e)
        np.minimum(e, self._high, out=e)
        if not self._only_numbers:
            e = self._with_words(e, context)
        if self._linear:
            return e
        products: Floats = e[self._first] * e[self._second]
        return products * e[self._third] * self._share if self._named else products

    def rows(self, contexts: Sequence[Features]) -> Floats:
        """(n, d): `row` of each."""
        E: Floats = np.clip((self._numbers.rows(contexts) - self._mean) * self._scale, self._low, self._high)
        if not self._only_numbers:
            E = np.array([self._with_words(e, context) for e, context in zip(E, contexts, strict=True)])
        if self._linear:
            return E
        products: Floats = E.take(self._first, axis=1) * E.take(self._second, axis=1)
        return products * E.take(self._third, axis=1) * self._share if self._named else products

    def _with_words(self, numbers: Floats, context: Features) -> Floats:
        e = np.zeros(len(self._columns))
        e[self._places] = numbers
        for name, places in self._words:
            place = places.get(context.get(name))  # type: ignore[arg-type]
            if place is not None:
                e[place] = self._columns.unit
        if self._columns.buckets:
            for place, value in self._shared(context):
                e[place] += value * self._columns.unit
            e[1:] = np.clip(e[1:], -LIMIT * self._columns.unit, LIMIT * self._columns.unit)
        return e

    def _shared(self, context: Features) -> Iterator[tuple[int, float]]:
        """What the context adds to the columns that several features share."""
        columns = self._columns
        for name, value in context.items():
            place = None if columns.knows(name, value) else columns.buckets.get(columns.bucket(name, value))
            if place is not None:
                yield place, 1.0 if type(value) is str else self._scaler.transform({name: value})[name]  # type: ignore[misc]
