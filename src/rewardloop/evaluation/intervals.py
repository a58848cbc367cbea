"""From scores to an `Estimate`: three intervals for a mean. The pairing of two policies is a subtraction done by the caller.

| | coverage | width |
|---|---|---|
| `normal` | asymptotic; too low where a few events carry most of the weight | reference |
| `bootstrap` | asymptotic; follows skewed scores | about the same |
| `empirical_bernstein` | holds for every n, if the scores are bounded as said | 2 to 10 × |
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import stdtrit

from rewardloop.errors import InvalidInput
from rewardloop.evaluation.estimate import Estimate
from rewardloop.interactions import Floats

_CELLS = 1 << 20
"""Resampled scores held at once: bounds the memory of `bootstrap` at 16 MiB."""


def normal(scores: Floats, level: float, ess: float | None = None) -> Estimate:
    """mean ± t(n − 1)·sd/√n. One event has no spread: its interval is the whole line.

    >>> print(normal(np.array([0.0, 1.0, 0.0, 1.0]), 0.95))
    0.5 (95 % interval -0.4187 to 1.419, n 4, ess 4.0)
    """
    n = _count(scores)
    half = float(stdtrit(n - 1, (1 + level) / 2)) * standard_error(scores) if n > 1 else math.inf
    return _around(scores, half, level, ess)


def bootstrap(
    scores: Floats, level: float, generator: np.random.Generator, ess: float | None = None, resamples: int = 1000
) -> Estimate:
    """The percentile bootstrap of the mean (Efron 1979). Time O(resamples · n), memory bounded."""
    n = _count(scores)
    batch = max(1, _CELLS // n)
    sizes = [min(batch, resamples - done) for done in range(0, resamples, batch)]
    means = np.concatenate([scores[generator.integers(n, size=(size, n))].mean(axis=1) for size in sizes])
    lower, upper = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Estimate(float(scores.mean()), float(lower), float(upper), level, n, float(n) if ess is None else ess)


def empirical_bernstein(scores: Floats, level: float, bounds: tuple[float, float], ess: float | None = None) -> Estimate:
    """mean ± √(2·var·log(4/α)/n) + 7·width·log(4/α)/(3(n − 1)) (Maurer & Pontil 2009, theorem 4, both sides).

    `bounds` hold every score that could have occurred: for IPS, (0, largest possible weight × highest reward).
    Raises `InvalidInput` where a score lies outside.
    """
    n = _count(scores)
    low, high = bounds
    if scores.min() < low or scores.max() > high:
        raise InvalidInput(f"Expected scores within [{low:g}, {high:g}], got [{scores.min():g}, {scores.max():g}]", at="bounds")
    if n == 1:
        return _around(scores, math.inf, level, ess)
    log = math.log(4 / (1 - level))
    half = math.sqrt(2 * float(scores.var(ddof=1)) * log / n) + 7 * (high - low) * log / (3 * (n - 1))
    return _around(scores, half, level, ess)


def standard_error(scores: Floats) -> float:
    """sd/√n; infinite for a single score."""
    return float(scores.std(ddof=1)) / math.sqrt(len(scores)) if len(scores) > 1 else math.inf


def _around(scores: Floats, half: float, level: float, ess: float | None) -> Estimate:
    value = float(scores.mean())
    return Estimate(value, value - half, value + half, level, len(scores), float(len(scores)) if ess is None else ess)


def _count(scores: Floats) -> int:
    if len(scores) == 0:
        raise InvalidInput("Expected at least one event, got none", at="scores")
    return len(scores)
