"""Penalised logistic regression by reweighted ridges. Knows matrices only: no events, no actions."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from rewardloop.evaluation.reward_models import ridge
from rewardloop.interactions import Floats, Ints

_STEPS = 25
_STILL = 0.01
"""Log odds that moved less than this have arrived: what is left is about its square."""
_STRIDE = 5.0
"""Log odds move at most so far in a step: Newton's method overshoots where a line separates the rows."""
_LEAST_SPREAD = 1e-6
"""p(1 − p) counts for at least this: rows that are certain would have no weight to move by."""


def fit(X: Floats, y: Floats, base: float, penalty: Floats, weight: Floats | None = None) -> Floats:
    """argmax Σ weight·(y·η − log(1 + e^η)) − ½ Σ penalty·β², η = base + Xβ; (n, d) and (n,) of 0 and 1 to (d,).

    Iteratively reweighted least squares (Nelder & Wedderburn 1972), 5 to 10 ridges as a rule. No rows give zeros.

    >>> weights = fit(np.array([[1.0], [1.0], [1.0], [1.0]]), np.array([0.0, 1.0, 1.0, 1.0]), base=0.0, penalty=np.array([1e-6]))
    >>> expit(weights).round(3)
    array([0.75])
    """
    beta, moved = np.zeros(X.shape[1]), np.zeros(len(X))
    for _ in range(_STEPS):
        p = expit(base + moved)
        root = np.sqrt(np.maximum(p * (1 - p), _LEAST_SPREAD))
        counts = root if weight is None else root * np.sqrt(weight)
        step = ridge.fit(X * counts[:, None], (moved + (y - p) / (root * root)) * counts, penalty) - beta
        stride = X @ step
        longest = float(np.abs(stride).max(initial=0.0))
        share = min(1.0, _STRIDE / longest) if longest > 0.0 else 1.0
        beta += share * step
        moved += share * stride
        if longest < _STILL:
            break
    return beta


def fit_held_out(X: Floats, y: Floats, fold: Ints, base: Floats, penalty: Floats, weight: Floats | None = None) -> Floats:  # noqa: PLR0917
    """(n_folds, d): for each fold the fit on the others, beside its `base` (n_folds,) in log odds; `weight` (n,) as in `fit`."""
    rest = [np.flatnonzero(fold != number) for number in range(len(base))]
    counts = [None if weight is None else weight[rows] for rows in rest]
    parts = zip(rest, base.tolist(), counts, strict=True)
    return np.array([fit(X[rows], y[rows], odds, penalty, count) for rows, odds, count in parts])
