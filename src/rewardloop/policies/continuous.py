"""Continuous actions: from a policy's spread to the values that are served and the density they were drawn with. The only place.

The platform's floor is here what it is for arms: p'(x) = (1 − f)·p(x) + f / volume, so that every value in the box can be drawn
and the log can tell of it. No policy, no log, no random numbers: the seed is passed in.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol, runtime_checkable

import numpy as np
from scipy.special import ndtr, ndtri

from rewardloop.actions import Ranges
from rewardloop.cells import Cells, Drawn
from rewardloop.features import Features

_SQRT = math.sqrt(2 * math.pi)
_EDGE = 1e-12


class Spread(NamedTuple):
    """What a policy would draw from, each value by itself.

    `uniform`: over the range. `normal`: about `location` with deviation `scale`, cut off at the range (not piled up on its ends).
    `squashed`: low + (tanh z + 1)/2 · (high − low), z normal with `location` and `scale` (Haarnoja et al. 2018, appendix C).
    """

    kind: Literal["uniform", "normal", "squashed"]
    location: tuple[float, ...] = ()
    scale: tuple[float, ...] = ()


@runtime_checkable
class ContinuousPolicy(Protocol):
    """A policy that says a spread over a box. `spread` changes nothing and depends on nothing but the context."""

    def spread(self, context: Features, ranges: Ranges) -> Spread: ...


def draw(spread: Spread, ranges: Ranges, *, floor: float, explore: bool, seed: int) -> Drawn:
    """The values of one decision. The same seed, the same values.

    >>> draw(Spread("normal", (0.5,), (0.1,)), Ranges((0.0,), (1.0,)), floor=0.0, explore=False, seed=1)
    Drawn(values=(0.5,), density=inf)
    >>> draw(Spread("uniform"), Ranges((0.0,), (2.0,)), floor=0.1, explore=True, seed=1).density
    0.5
    """
    if not explore:
        return Drawn(_middle(spread, ranges), math.inf)
    generator = np.random.default_rng(seed)
    by_floor = generator.random() < floor
    u = generator.random(len(ranges.low)).tolist()
    source = Spread("uniform") if by_floor else spread
    values = tuple(_quantile(source, ranges, i, u[i]) for i in range(len(u)))
    return Drawn(values, density(spread, ranges, values, floor=floor))


def draw_in(cells: Cells, cell: int, probability: float, *, explore: bool, seed: int) -> Drawn:
    """The value of one decision whose cell was drawn already, by the policy's distribution. The same seed, the same value.

    >>> draw_in(Cells(0.0, 1.0, 4), 2, 0.5, explore=True, seed=1).density
    2.0
    """
    return cells.draw(cell, probability, float(np.random.default_rng(seed).random()), explore=explore)


def density(spread: Spread, ranges: Ranges, values: Sequence[float], *, floor: float) -> float:
    """p'(values), the floor included.

    >>> round(density(Spread("squashed", (0.0,), (1.0,)), Ranges((-1.0,), (1.0,)), [0.0], floor=0.0), 4)
    0.3989
    """
    uniform = math.prod(1.0 / (high - low) for low, high in zip(*ranges, strict=True))
    if spread.kind == "uniform":
        return uniform
    own = math.prod(_density(spread, ranges, i, value) for i, value in enumerate(values))
    return (1.0 - floor) * own + floor * uniform


def _quantile(spread: Spread, ranges: Ranges, i: int, u: float) -> float:
    low, high = ranges.low[i], ranges.high[i]
    if spread.kind == "uniform":
        return low + u * (high - low)
    location, scale = spread.location[i], spread.scale[i]
    if spread.kind == "squashed":
        z = location + scale * float(ndtri(min(max(u, _EDGE), 1.0 - _EDGE)))
        return min(max(low + (math.tanh(z) + 1.0) / 2.0 * (high - low), low), high)
    about = min(max(location, low), high)
    below, above = float(ndtr((low - about) / scale)), float(ndtr((high - about) / scale))
    value = about + scale * float(ndtri(min(max(below + u * (above - below), _EDGE), 1.0 - _EDGE)))
    return min(max(value, low), high)


def _density(spread: Spread, ranges: Ranges, i: int, value: float) -> float:
    low, high = ranges.low[i], ranges.high[i]
    location, scale = spread.location[i], spread.scale[i]
    if spread.kind == "squashed":
        y = min(max(2.0 * (value - low) / (high - low) - 1.0, -1.0 + _EDGE), 1.0 - _EDGE)
        return _bell((math.atanh(y) - location) / scale) / scale * 2.0 / ((1.0 - y * y) * (high - low))
    about = min(max(location, low), high)
    mass = float(ndtr((high - about) / scale)) - float(ndtr((low - about) / scale))
    return _bell((value - about) / scale) / (scale * mass)


def _middle(spread: Spread, ranges: Ranges) -> tuple[float, ...]:
    """What a policy takes that does not explore."""
    pairs = list(zip(*ranges, strict=True))
    if spread.kind == "uniform":
        return tuple((low + high) / 2.0 for low, high in pairs)
    if spread.kind == "squashed":
        shares = [(math.tanh(location) + 1.0) / 2.0 for location in spread.location]
        return tuple(low + share * (high - low) for share, (low, high) in zip(shares, pairs, strict=True))
    return tuple(min(max(location, low), high) for location, (low, high) in zip(spread.location, pairs, strict=True))


def _bell(z: float) -> float:
    return math.exp(-0.5 * z * z) / _SQRT
