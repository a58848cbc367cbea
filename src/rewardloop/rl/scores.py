"""From episode returns to one number with an interval: the interquartile mean and its bootstrap (Agarwal et al. 2021)."""

from __future__ import annotations

from typing import Final

import numpy as np

from rewardloop.errors import InvalidInput
from rewardloop.evaluation import Estimate
from rewardloop.interactions import Floats

LEVEL: Final = 0.95
_RESAMPLES: Final = 2_000


def interquartile_mean(scores: Floats) -> float:
    """Mean of the middle half of all scores, whatever their shape; the plain mean of fewer than four.

    >>> interquartile_mean(np.array([0.0, 1.0, 3.0, 1000.0]))
    2.0
    """
    flat = np.sort(scores.ravel())
    cut = len(flat) // 4
    return float(flat[cut : len(flat) - cut].mean())


def score(scores: Floats, seed: int = 0) -> Estimate:
    """The interquartile mean of (n_runs, n_episodes) scores with its 95 % percentile bootstrap.

    Runs are drawn with replacement, then episodes within each: one run says nothing of how another training would have ended,
    and its interval speaks of episodes alone. Raises `InvalidInput` for no scores.

    >>> score(np.ones((2, 5))).lower
    1.0
    """
    if scores.ndim != 2 or not scores.size:
        raise InvalidInput(f"Expected scores of runs × episodes, got an array of shape {scores.shape}")
    generator = np.random.default_rng(seed)
    n_runs, n_episodes = scores.shape
    found = np.empty(_RESAMPLES)
    for i in range(_RESAMPLES):
        rows = generator.integers(n_runs, size=(n_runs, 1))
        found[i] = interquartile_mean(scores[rows, generator.integers(n_episodes, size=(n_runs, n_episodes))])
    lower, upper = np.quantile(found, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(interquartile_mean(scores), float(lower), float(upper), LEVEL, scores.size, float(scores.size))
