"""What a policy over a box would have drawn from at many logged decisions at once: densities and moments, floor included.

`continuous` draws one decision and is the only place that does; nothing is drawn here. The numbers agree with its own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
from scipy.special import ndtr, ndtri

from rewardloop.actions import Ranges
from rewardloop.interactions import Floats
from rewardloop.policies.continuous import Spread

_SQRT = math.sqrt(2 * math.pi)
_EDGE = 1e-12
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(48)
"""Of a quantile function over u in (0, 1): moments to 1e-3 of the range for deviations from 1e-3 of it to many times it."""


@dataclass(frozen=True, slots=True)
class Spreads:
    """n spreads of one policy over one box. A row of NaN: the policy could not say, for its context lacks a reading."""

    kind: Literal["uniform", "normal", "squashed"]
    location: Floats
    """(n, d)"""
    scale: Floats
    """(n, d)"""
    ranges: Ranges
    floor: float

    @classmethod
    def of(cls, spreads: Sequence[Spread | None], ranges: Ranges, floor: float) -> Self:
        """Of one policy, so all of one kind. None where it could not say.

        >>> Spreads.of([Spread("uniform"), None], Ranges((0.0,), (2.0,)), 0.1).density(np.ones((2, 1)))
        array([0.5, nan])
        """
        d = len(ranges.low)
        said = next((spread for spread in spreads if spread is not None), Spread("uniform"))
        unknown, known = (np.nan,) * d, (0.0,) * d
        location = [unknown if each is None else each.location or known for each in spreads]
        scale = [unknown if each is None else each.scale or known for each in spreads]
        return cls(said.kind, np.array(location).reshape(-1, d), np.array(scale).reshape(-1, d), ranges, floor)

    def __len__(self) -> int:
        return len(self.location)

    @property
    def known(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """(n,) whether the policy could say."""
        return np.asarray(np.isfinite(self.location).all(axis=1))

    def density(self, values: Floats) -> Floats:
        """(n,) at (n, d) values, the floor included; NaN where the policy could not say."""
        low, high = np.array(self.ranges.low), np.array(self.ranges.high)
        uniform = 1.0 / math.prod((high - low).tolist())
        if self.kind == "uniform":
            return np.where(self.known, uniform, np.nan)
        each = self._squashed(values, low, high) if self.kind == "squashed" else self._normal(values, low, high)
        found: Floats = (1.0 - self.floor) * each.prod(axis=1) + self.floor * uniform
        return found

    def moments(self) -> tuple[Floats, Floats]:
        """(n, d) mean and (n, d) mean square of each value scaled to -1 … 1, of the policy's own draws, without the floor."""
        if self.kind == "uniform":
            alike = np.zeros(self.location.shape)
            return alike, alike + 1.0 / 3.0
        first, second = np.zeros(self.location.shape), np.zeros(self.location.shape)
        for u, weight in zip((_NODES + 1) / 2, _WEIGHTS / 2, strict=True):
            scaled = self._quantile(float(u))
            first += weight * scaled
            second += weight * np.square(scaled)
        return first, second

    def _quantile(self, u: float) -> Floats:
        """(n, d) scaled to -1 … 1."""
        if self.kind == "squashed":
            return np.asarray(np.tanh(self.location + self.scale * float(ndtri(u))), dtype=np.float64)
        low, high = np.array(self.ranges.low), np.array(self.ranges.high)
        about, below, above = self._cut_off(low, high)
        drawn = about + self.scale * ndtri(np.clip(below + u * (above - below), _EDGE, 1.0 - _EDGE))
        return np.asarray(scaled(np.clip(drawn, low, high), self.ranges), dtype=np.float64)

    def _squashed(self, values: Floats, low: Floats, high: Floats) -> Floats:
        y = np.clip(scaled(values, self.ranges), -1.0 + _EDGE, 1.0 - _EDGE)
        bell = _bell((np.arctanh(y) - self.location) / self.scale)
        return np.asarray(bell / self.scale * 2.0 / ((1.0 - y * y) * (high - low)), dtype=np.float64)

    def _normal(self, values: Floats, low: Floats, high: Floats) -> Floats:
        about, below, above = self._cut_off(low, high)
        return np.asarray(_bell((values - about) / self.scale) / (self.scale * (above - below)), dtype=np.float64)

    def _cut_off(self, low: Floats, high: Floats) -> tuple[Floats, Floats, Floats]:
        about = np.clip(self.location, low, high)
        return about, ndtr((low - about) / self.scale), ndtr((high - about) / self.scale)


def scaled(values: Floats, ranges: Ranges) -> Floats:
    """(n, d) values of a box, from -1 at its low to 1 at its high.

    >>> scaled(np.array([[10.0, 0.0]]), Ranges((10.0, -5.0), (30.0, 5.0)))
    array([[-1.,  0.]])
    """
    low, high = np.array(ranges.low), np.array(ranges.high)
    return np.asarray(2.0 * (values - low) / (high - low) - 1.0, dtype=np.float64)


def _bell(z: Floats) -> Floats:
    return np.asarray(np.exp(-0.5 * z * z) / _SQRT, dtype=np.float64)
