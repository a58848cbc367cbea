"""Running z-scores of numeric features, by name. Words pass through. No weights, no hashing, no design matrix."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple, Self

import msgspec
import numpy as np

from rewardloop.features import Features

MAX_COLUMNS = 10_000
"""Names beyond these are not scaled, only clipped: a client that invents names cannot grow the model without end."""
LIMIT = 5.0
"""z-scores are clipped to ±LIMIT: one wild value may not dominate an update."""

_NEGLIGIBLE = 1e-12
_BINARY = frozenset((0, 1))


class Column(NamedTuple):
    """What is known of one numeric feature."""

    n: int
    mean: float
    m2: float
    """Sum of squared deviations from the mean."""
    binary: bool
    """Only 0 and 1 so far: left alone, because a z-score would blow up rare indicators."""


class ScalerState(msgspec.Struct, frozen=True):
    columns: dict[str, Column]


class Scaler:
    """z = (x − mean) / sd, clipped to ±5, over the values seen so far; 0/1 columns and words are left as they are.

    A name never seen is clipped only; a constant column becomes 0. Batches merge by Chan, Golub & LeVeque (1983), eq. 2.1:
    the result does not depend on how the events were cut into batches, but for rounding.

    >>> scaler = Scaler()
    >>> scaler.update([{"age": 20, "vip": 0, "os": "ios"}, {"age": 40, "vip": 1, "os": "ios"}])
    >>> scaler.transform({"age": 45, "vip": 1, "os": "ios", "unseen": -70})
    {'age': 1.5, 'vip': 1.0, 'os': 'ios', 'unseen': -5.0}
    """

    def __init__(self, columns: dict[str, Column] | None = None) -> None:
        self._columns = columns if columns is not None else {}
        self._affine = {name: _affine(column) for name, column in self._columns.items()}

    def update(self, features: Iterable[Features]) -> None:
        """Learns from a batch; call it before the batch is transformed."""
        batch: dict[str, list[float]] = defaultdict(list)
        for row in features:
            for name, value in row.items():
                if type(value) is not str:
                    batch[name].append(value)  # type: ignore[arg-type]
        for name, values in batch.items():
            old = self._columns.get(name)
            if old is None and len(self._columns) >= MAX_COLUMNS:
                continue
            column = _summary(values) if old is None else _with(old, values)
            self._columns[name] = column
            self._affine[name] = _affine(column)

    def transform(self, features: Features) -> Features:
        """The features a learner sees, under the same names."""
        affine = self._affine
        scaled: Features = {}
        for name, value in features.items():
            if type(value) is str:
                scaled[name] = value
                continue
            try:
                mean, scale = affine[name]
                z = (value - mean) * scale  # type: ignore[operator]
            except KeyError:
                z = value  # type: ignore[assignment]
            scaled[name] = z if -LIMIT <= z <= LIMIT else (LIMIT if z > 0 else -LIMIT)
        return scaled

    def affine(self, name: str) -> tuple[float, float]:
        """(mean, scale) such that z = (x − mean) · scale; (0, 1) for a name never seen and for 0/1 columns."""
        return self._affine.get(name, (0.0, 1.0))

    @property
    def n_columns(self) -> int:
        """How many numeric names are known."""
        return len(self._columns)

    def state(self) -> ScalerState:
        """Everything, as plain data for JSON."""
        return ScalerState(dict(self._columns))

    @classmethod
    def from_state(cls, state: ScalerState) -> Self:
        return cls(dict(state.columns))


def _summary(values: Sequence[float]) -> Column:
    if len(values) == 1:
        return Column(1, float(values[0]), 0.0, values[0] in _BINARY)
    x = np.array(values, dtype=np.float64)
    mean = float(x.mean())
    return Column(len(values), mean, float(np.square(x - mean).sum()), _BINARY.issuperset(values))


def _with(old: Column, values: Sequence[float]) -> Column:
    if len(values) > 1:
        return _merge(old, _summary(values))
    n, value = old.n + 1, float(values[0])
    delta = value - old.mean
    return Column(n, old.mean + delta * (1 / n), old.m2 + delta * delta * (old.n / n), old.binary and value in _BINARY)


def _merge(old: Column, new: Column) -> Column:
    n = old.n + new.n
    delta = new.mean - old.mean
    m2 = old.m2 + new.m2 + delta * delta * (old.n * new.n / n)
    return Column(n, old.mean + delta * (new.n / n), m2, old.binary and new.binary)


def _affine(column: Column) -> tuple[float, float]:
    if column.binary:
        return 0.0, 1.0
    variance = column.m2 / column.n
    constant = variance <= _NEGLIGIBLE * column.mean * column.mean
    return column.mean, 0.0 if constant else float(variance**-0.5)
