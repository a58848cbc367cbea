"""What is kept of an evaluated policy: sums of five minutes each, from which any interval's IPS and SNIPS follow. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from statistics import NormalDist
from typing import NamedTuple

import msgspec
import numpy as np

from rewardloop.interactions import Floats, Ints

WIDTH = 300_000_000
"""Microseconds of a bucket."""
LEVEL = 0.95
_Z = NormalDist().inv_cdf((1 + LEVEL) / 2)


class Bucket(msgspec.Struct, frozen=True, array_like=True):
    """Σ over the events that closed in [at, at + WIDTH); w is the importance weight, r the reward."""

    at: int
    n: int
    w: float
    wr: float
    ww: float
    wwr: float
    wwrr: float
    matched: int = 0
    """Events with w > 0."""


class Value(NamedTuple):
    """An estimated mean reward with a normal interval."""

    mean: float
    lower: float
    upper: float


def bucketed(closed_at: Ints, weight: Floats, reward: Floats) -> dict[int, Bucket]:
    """Buckets of some events, by instant."""
    starts, rows = np.unique(closed_at // WIDTH * WIDTH, return_inverse=True)
    columns = (weight, weight * reward, weight**2, weight**2 * reward, (weight * reward) ** 2, weight > 0)
    counts = np.bincount(rows)
    w, wr, ww, wwr, wwrr, matched = (np.bincount(rows, column) for column in columns)
    return {
        int(at): Bucket(
            int(at), int(counts[i]), float(w[i]), float(wr[i]), float(ww[i]), float(wwr[i]), float(wwrr[i]), int(matched[i])
        )
        for i, at in enumerate(starts)
    }


def total(buckets: Iterable[Bucket], at: int = 0) -> Bucket:
    """
    >>> total([Bucket(0, 1, 2.0, 1.0, 4.0, 2.0, 1.0, 1), Bucket(9, 1, 0.0, 0.0, 0.0, 0.0, 0.0)]).n
    2
    """
    rows = [(each.n, each.w, each.wr, each.ww, each.wwr, each.wwrr, each.matched) for each in buckets]
    n, w, wr, ww, wwr, wwrr, matched = map(sum, zip(*rows, strict=True)) if rows else (0, 0.0, 0.0, 0.0, 0.0, 0.0, 0)
    return Bucket(at, int(n), w, wr, ww, wwr, wwrr, int(matched))


def added(one: Mapping[int, Bucket], other: Mapping[int, Bucket]) -> dict[int, Bucket]:
    """Both, bucket by bucket, in order."""
    return {at: total([some[at] for some in (one, other) if at in some], at) for at in sorted({*one, *other})}


def ips(sums: Bucket) -> Value | None:
    """Σ wr / n; None without events (Horvitz & Thompson 1952).

    >>> ips(Bucket(0, 4, 4.0, 2.0, 4.0, 2.0, 2.0)).mean
    0.5
    """
    if not sums.n:
        return None
    mean = sums.wr / sums.n
    return _around(mean, max(sums.wwrr / sums.n - mean**2, 0.0) / sums.n)


def snips(sums: Bucket) -> Value | None:
    """Σ wr / Σ w, with the delta method's interval (Swaminathan & Joachims 2015); None where no event has weight.

    >>> snips(Bucket(0, 4, 2.0, 1.0, 2.0, 1.0, 1.0)).mean
    0.5
    """
    if not sums.w:
        return None
    mean = sums.wr / sums.w
    return _around(mean, max(sums.wwrr - 2 * mean * sums.wwr + mean**2 * sums.ww, 0.0) / sums.w**2)


def _around(mean: float, variance: float) -> Value:
    half = _Z * math.sqrt(variance)
    return Value(mean, mean - half, mean + half)
