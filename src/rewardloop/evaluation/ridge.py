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


def fit_held_out(X: Floats, y: Floats, fold: Ints, n_folds: int, penalty: Floats) -> Floats:
    """(n_folds, d): for each fold the fit to all the other folds. The Gram matrix is summed once, then each fold's taken away."""
    parts = [np.flatnonzero(fold == number) for number in range(n_folds)]
    if len(X) < X.shape[1] * 2:
        return np.array([fit(np.delete(X, part, axis=0), np.delete(y, part), penalty) for part in parts])
    grams = [X[part].T @ X[part] for part in parts]
    moments = [X[part].T @ y[part] for part in parts]
    gram, moment = sum(grams) + np.diag(penalty), sum(moments)
    return np.array([_solve(gram - g, moment - m) for g, m in zip(grams, moments, strict=True)])
