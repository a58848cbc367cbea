"""What a report draws besides estimates: how an estimate settled as events came in, and how heavy the weights' tail is."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from rewardloop.evaluation.estimate import Estimate, effective_sample_size
from rewardloop.interactions import Floats

POINTS = 40
"""Of a convergence curve."""
TAIL_POINTS = 200
"""Of a weight tail; the heaviest weights keep a point each."""
_FIRST = 0.05
"""A curve begins at this share of the events: earlier intervals would dwarf the later ones."""


Interval = Callable[[Floats, float], Estimate]
"""Scores and effective sample size to an estimate."""


def convergence(scores: Floats, weight: Floats, interval: Interval) -> tuple[Estimate, ...]:
    """The mean of the first k `scores` (n,) with its `interval`, for up to 40 growing k, the last of which is n ≥ 2.

    Scores and `weight` (n,) are in the order the events closed, so the curve is what an observer would have seen; the reward model
    behind doubly robust scores is the final one at every k.

    >>> from rewardloop.evaluation import normal
    >>> ones = np.ones(100)
    >>> [estimate.n for estimate in convergence(ones, ones, lambda scores, ess: normal(scores, 0.95, ess))][:4]
    [5, 7, 9, 12]
    """
    n = len(scores)
    first = min(n, max(2, round(_FIRST * n)))
    sizes = np.unique(np.linspace(first, n, POINTS).astype(np.int64)).tolist()
    return tuple(interval(scores[:k], effective_sample_size(weight[:k])) for k in sizes)


def weight_tail(weight: Floats) -> tuple[tuple[float, float], ...]:
    """Points (w, share of the events whose importance weight is at least w), w > 0 growing; empty where no event has any weight.

    >>> weight_tail(np.array([0.0, 1.0, 1.0, 4.0]))
    ((1.0, 0.75), (4.0, 0.25))
    """
    values, counts = np.unique(weight[weight > 0], return_counts=True)
    share = counts[::-1].cumsum()[::-1] / max(len(weight), 1)
    kept = _thinned(len(values))
    return tuple(zip(values[kept].tolist(), share[kept].tolist(), strict=True))


def _thinned(n: int) -> list[int]:
    """At most 200 of n positions: the first, and ever more towards the last."""
    if n <= TAIL_POINTS:
        return list(range(n))
    from_the_end = np.unique(np.geomspace(1, n, TAIL_POINTS).astype(np.int64))
    return [int(position) for position in (n - from_the_end)[::-1]]
