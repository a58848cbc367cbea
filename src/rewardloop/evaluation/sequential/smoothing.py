"""Regressions whose smoothing is settled once: from then on a prediction is linear in what is to be learned.

Fitted Q evaluation learns new values of the same states a hundred times. Trees that are grown anew each time cost a hundred
forests and never quite settle; with their structure kept, only the means of the leaves change, and the rounds converge
(Ernst, Geurts & Wehenkel 2005, section 4.4).
"""

from __future__ import annotations

from typing import Literal, Protocol

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.ensemble import ExtraTreesRegressor

from rewardloop.interactions import Floats, Ints

QModel = Literal["linear", "trees"]

_TREES = 40
_LEAF = 5
_RIDGE = 1e-6


class Smoother(Protocol):
    """(n,) numbers at the states it was made for → (m,) predictions at the states it was asked for."""

    def __call__(self, wanted: Floats) -> Floats: ...


def smoother(model: QModel, X: Floats, guide: Floats, asked: Floats, seed: int) -> Smoother:
    """From states X (n, d) to states `asked` (m, d). `guide` (n, g) are numbers that trees tell the states apart by.

    linear: ridge on standardised columns, each also crossed with the last one, which is time. trees: extremely randomised ones
    (Geurts et al. 2006).

    >>> line = smoother("linear", np.array([[0.0], [1.0], [2.0]]), np.zeros((3, 1)), np.array([[3.0]]), seed=0)
    >>> line(np.array([0.0, 2.0, 4.0])).round(3)
    array([6.])
    """
    return _Ridge(X, asked) if model == "linear" else _Leaves(X, guide, asked, seed)


class _Ridge:
    def __init__(self, X: Floats, asked: Floats) -> None:
        mean, scale = X.mean(axis=0), np.where(X.std(axis=0) > 0, X.std(axis=0), 1.0)
        self._X = _design((X - mean) / scale)
        self._asked = _design((asked - mean) / scale)
        gram = self._X.T @ self._X + _RIDGE * len(X) * np.diag(np.append(0.0, np.ones(self._X.shape[1] - 1)))
        self._inverse = np.linalg.pinv(gram, hermitian=True)

    def __call__(self, wanted: Floats) -> Floats:
        predicted: Floats = self._asked @ (self._inverse @ (self._X.T @ wanted))
        return predicted


def _design(scaled: Floats) -> Floats:
    return np.column_stack([np.ones(len(scaled)), scaled, scaled[:, :-1] * scaled[:, -1:]])


class _Leaves:
    def __init__(self, X: Floats, guide: Floats, asked: Floats, seed: int) -> None:
        spread = np.where(guide.std(axis=0) > 0, guide.std(axis=0), 1.0)
        forest = ExtraTreesRegressor(_TREES, min_samples_leaf=_LEAF, random_state=seed, n_jobs=1).fit(X, guide / spread)
        starts = np.cumsum([0, *(tree.tree_.node_count for tree in forest.estimators_)])
        mine = _membership(forest.apply(X) + starts[:-1], int(starts[-1]))
        size = np.maximum(np.asarray(mine.sum(axis=0)).ravel(), 1.0)
        self._means = (mine / size).tocsr().T.tocsr()
        self._asked = _membership(forest.apply(asked) + starts[:-1], int(starts[-1])) / _TREES

    def __call__(self, wanted: Floats) -> Floats:
        predicted: Floats = self._asked @ (self._means @ wanted)
        return predicted


def _membership(leaves: Ints, n_nodes: int) -> csr_matrix:
    """(n, nodes) 1 where a state falls into a leaf, of (n, trees) leaves."""
    n, n_trees = leaves.shape
    starts = np.arange(0, n * n_trees + 1, n_trees)
    return csr_matrix((np.ones(n * n_trees), leaves.ravel(), starts), shape=(n, n_nodes))
