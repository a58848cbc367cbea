"""From episode returns to one number with an interval: the interquartile mean and its bootstrap (Agarwal et al. 2021)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rewardloop.errors import InvalidInput
from rewardloop.evaluation import Estimate
from rewardloop.interactions import Floats

LEVEL: Final = 0.95
_RESAMPLES: Final = 2_000
Index = NDArray[np.int64]


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

    Runs are drawn with replacement, and so are episodes, the same for all runs, because all play the same seeds: what is hard for
    one is hard for the others. One run says nothing of how another training would have ended, and its interval speaks of episodes
    alone. Raises `InvalidInput` for no scores.

    >>> score(np.ones((2, 5))).lower
    1.0
    """
    if scores.ndim != 2 or not scores.size:
        raise InvalidInput(f"Expected scores of runs × episodes, got an array of shape {scores.shape}")
    return _estimated(scores.shape, seed, lambda runs, episodes: interquartile_mean(scores[runs, episodes]))


def saving(costs: Floats, reference: Floats, seed: int = 0) -> Estimate:
    """1 − Σ costs / Σ reference: the share that (n_runs, n_episodes) costs are below those of (1, n_episodes) of the same episodes.

    The interval is of the same kind; the episodes are drawn for both, so that a costly one does not widen it.

    >>> saving(np.array([[1.0, 3.0]]), np.array([[2.0, 6.0]])).upper
    0.5
    """
    return _estimated(
        costs.shape, seed, lambda runs, episodes: 1 - float(costs[runs, episodes].mean() / reference[:, episodes[0]].mean())
    )


def _estimated(shape: tuple[int, ...], seed: int, value: Callable[[Index, Index], float]) -> Estimate:
    """The value of all runs (n, 1) and episodes (1, m), with its interval over draws of both."""
    generator = np.random.default_rng(seed)
    n_runs, n_episodes = shape
    found = [
        value(generator.integers(n_runs, size=(n_runs, 1)), generator.integers(n_episodes, size=(1, n_episodes)))
        for _ in range(_RESAMPLES)
    ]
    lower, upper = np.quantile(found, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    whole = value(np.arange(n_runs)[:, None], np.arange(n_episodes)[None, :])
    n = n_runs * n_episodes
    return Estimate(whole, float(lower), float(upper), LEVEL, n, float(n))
