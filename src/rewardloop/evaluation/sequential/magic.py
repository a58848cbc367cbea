"""MAGIC: a blend of the model's value and weighted doubly robust returns, by their estimated errors (Thomas & Brunskill 2016)."""

from __future__ import annotations

import numpy as np
from scipy.optimize import nnls

from rewardloop.evaluation.sequential.estimators import wdr
from rewardloop.evaluation.sequential.table import Table
from rewardloop.interactions import Floats, Ints

MAX_RETURNS = 24
"""Lengths that are blended: all up to so many, else evenly spread ones."""
_SUM_TO_ONE = 1e6
"""How dearly the least squares pay for weights that do not sum to 1."""


def partial_returns(table: Table, counts: Floats) -> Floats:
    """(B, J) g^(j): weighted doubly robust up to step j, the model's value from there; the first is the model alone (j = −1)."""
    below, below_before = counts @ table.weight, counts @ table.before
    residual = (counts @ (table.weight * (table.reward - table.q))) / np.where(below > 0, below, 1)
    value = (counts @ (table.before * table.v)) / np.where(below_before > 0, below_before, 1)
    steps = _lengths(table)
    done = np.hstack([np.zeros((len(counts), 1)), np.cumsum(residual + value, axis=1)])
    ahead = np.hstack([value, np.zeros((len(counts), 1))])
    returns: Floats = done[:, steps] + ahead[:, steps]
    return returns


def blend(table: Table, resampled: Floats) -> Floats:
    """(J,) weights ≥ 0 that sum to 1: least x'(Ω + b b')x. `resampled` (B, n) are bootstrap counts.

    Ω is the bootstrap covariance of the g^(j), b their distance to the middle half of the bootstrap of `wdr`.
    """
    returns = partial_returns(table, resampled)
    omega = np.cov(returns, rowvar=False).reshape(returns.shape[1], -1)
    low, high = np.quantile(wdr(table, resampled), [0.25, 0.75])
    point = partial_returns(table, np.ones((1, len(table))))[0]
    bias = np.where(point > high, point - high, np.where(point < low, point - low, 0.0))
    return _least(omega + np.outer(bias, bias))


def _least(matrix: Floats) -> Floats:
    values, vectors = np.linalg.eigh(matrix)
    root = np.sqrt(np.maximum(values, 0))[:, None] * vectors.T
    scale = max(float(np.abs(root).max()), 1e-300)
    rows = np.vstack([root / scale, np.full((1, len(matrix)), _SUM_TO_ONE)])
    weights, _ = nnls(rows, np.append(np.zeros(len(matrix)), _SUM_TO_ONE))
    blended: Floats = weights / weights.sum()
    return blended


def _lengths(table: Table) -> Ints:
    """Steps after which the model takes over: 0 is the model alone, H never."""
    n = min(table.horizon + 1, MAX_RETURNS)
    return np.unique(np.linspace(0, table.horizon, n).round().astype(np.int64))
