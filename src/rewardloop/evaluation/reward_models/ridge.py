"""Ridge regression with a penalised intercept, solved on the smaller side. Knows matrices only: no events, no actions."""

from __future__ import annotations

import numpy as np

from rewardloop.interactions import Floats, Ints


def with_intercept(matrix: Floats) -> Floats:
    return np.hstack([np.ones((len(matrix), 1)), matrix])


def fit(X: Floats, y: Floats, penalty: Floats) -> Floats:
    """argmin ‖y − Xβ‖² + Σ penalty·β², (n, d) and (n,) to (d,). O(n·d·min(n, d)); no rows give zeros.

    >>> fit(np.array([[1.0], [1.0]]), np.array([2.0, 4.0]), penalty=np.array([1.0]))
    array([2.])
    """
    if len(X) >= X.shape[1]:
        return _solve(X.T @ X + np.diag(penalty), X.T @ y)
    scaled: Floats = X / penalty
    return scaled.T @ _solve(scaled @ X.T + np.eye(len(X)), y)


def _solve(A: Floats, b: Floats) -> Floats:
    return np.asarray(np.linalg.solve(A, b), dtype=np.float64)


def fit_held_out(X: Floats, y: Floats, fold: Ints, baseline: Floats, penalty: Floats, weight: Floats | None = None) -> Floats:  # noqa: PLR0917
    """(n_folds, d): for each fold the fit of y − baseline[fold] on all the other folds, events counted by `weight` (n,)."""
    parts = [np.flatnonzero(fold == number) for number in range(len(baseline))]
    if len(X) < X.shape[1] * 2:
        rest = [np.flatnonzero(fold != number) for number in range(len(baseline))]
        root = np.ones(len(X)) if weight is None else np.sqrt(weight)
        scaled = X * root[:, None]
        return np.array([fit(scaled[r], (y[r] - base) * root[r], penalty) for r, base in zip(rest, baseline, strict=True)])
    weighted = X if weight is None else X * weight[:, None]
    grams = [weighted[part].T @ X[part] for part in parts]
    moments = [np.stack([weighted[part].T @ y[part], weighted[part].sum(axis=0)]) for part in parts]
    gram, moment = sum(grams) + np.diag(penalty), sum(moments)
    weights = []
    for own_gram, own_moment, base in zip(grams, moments, baseline, strict=True):
        of_reward, of_one = moment - own_moment
        weights.append(_solve(gram - own_gram, of_reward - base * of_one))
    return np.array(weights)
