"""Fitted Q evaluation: what each action is worth under the target policy, by regression on its own next value, cross-fitted.

Source: Le, Voloshin & Yue 2019, algorithm 3. Each fold's values come from a model that never saw its episodes, so that doubly
robust estimators stay unbiased (Chernozhukov et al. 2018).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import ExtraTreesRegressor

from rewardloop.evaluation.sequential.trajectories import Trajectories
from rewardloop.interactions import Floats

QModel = Literal["linear", "trees"]
Mask = npt.NDArray[np.bool_]

N_FOLDS = 3
_TREES = 40
_LEAF = 5
_RIDGE = 1e-6
_SETTLED = 1e-4
"""A round that moves no value by more than this share of the values' spread was the last."""
MAX_ROUNDS = 200
ROUNDS_A_STEP = 4
"""A value travels a step a round, and a fit that cannot follow it exactly needs more."""


class _Regressor(Protocol):
    def fit(self, X: Floats, y: Floats) -> None: ...

    def predict(self, X: Floats) -> Floats: ...


def fitted_q(trajectories: Trajectories, target: Floats, *, gamma: float = 1.0, model: QModel = "trees", seed: int = 0) -> Floats:
    """(N, K) Q(s_t, a) for every logged state and every action. `target` (N, K) is the target's distribution at those states.

    The number of a step is a feature, for episodes that end by the clock. linear: a ridge an action, each feature also crossed
    with that number. trees: extremely randomised trees (Geurts et al. 2006) an action.
    """
    q = np.zeros(target.shape)
    fold = np.random.default_rng(seed).permutation(len(trajectories)) % min(N_FOLDS, max(len(trajectories), 1))
    of_step = fold[trajectories.episode]
    states = _states(trajectories)
    for held_out in range(int(fold.max()) + 1):
        rows = of_step != held_out if (of_step != held_out).any() else np.ones(len(of_step), bool)
        regressors = [_regressor(model, seed + action) for action in range(target.shape[1])]
        q[of_step == held_out] = _fit(_Fit(trajectories, target, states, gamma), rows, regressors)[of_step == held_out]
    return q


class _Fit(NamedTuple):
    """What one regression is made of."""

    trajectories: Trajectories
    target: Floats
    states: Floats
    gamma: float


def _fit(of: _Fit, rows: Mask, regressors: Sequence[_Regressor]) -> Floats:
    """(N, K) from the steps in `rows`."""
    trajectories, target, states, gamma = of
    following = np.where(trajectories.is_last, 0, np.arange(trajectories.n_steps) + 1)
    goes_on = ~trajectories.is_last
    values = np.zeros(target.shape)
    for _ in range(min(MAX_ROUNDS, ROUNDS_A_STEP * int(trajectories.lengths.max()))):
        ahead = (target * values).sum(axis=1)[following] * goes_on
        wanted = trajectories.reward + gamma * ahead
        after = np.column_stack(
            [_of_action(regressor, states, trajectories.action == a, rows, wanted) for a, regressor in enumerate(regressors)]
        )
        moved = float(np.abs(after - values).max())
        values = after
        if moved <= _SETTLED * max(float(np.ptp(values)), 1e-12):
            break
    return values


def _of_action(regressor: _Regressor, states: Floats, taken: Mask, rows: Mask, wanted: Floats) -> Floats:
    """(N,) one action's values; the mean of all where it was never taken."""
    mine = taken & rows
    if not mine.any():
        return np.full(len(states), float(wanted[rows].mean()))
    regressor.fit(states[mine], wanted[mine])
    return regressor.predict(states)


def _states(trajectories: Trajectories) -> Floats:
    time = trajectories.step / max(int(trajectories.lengths.max()) - 1, 1)
    return np.column_stack([trajectories.observation, time])


def _regressor(model: QModel, seed: int) -> _Regressor:
    return _Linear() if model == "linear" else _Trees(seed)


class _Linear:
    """Ridge with an intercept, on standardised columns."""

    def fit(self, X: Floats, y: Floats) -> None:
        self._mean, self._scale = X.mean(axis=0), np.where(X.std(axis=0) > 0, X.std(axis=0), 1.0)
        design = self._design(X)
        gram = design.T @ design + _RIDGE * len(X) * np.diag(np.append(0.0, np.ones(design.shape[1] - 1)))
        self._weights = np.linalg.lstsq(gram, design.T @ y, rcond=None)[0]

    def predict(self, X: Floats) -> Floats:
        predicted: Floats = self._design(X) @ self._weights
        return predicted

    def _design(self, X: Floats) -> Floats:
        scaled = (X - self._mean) / self._scale
        return np.column_stack([np.ones(len(X)), scaled, scaled[:, :-1] * scaled[:, -1:]])


class _Trees:
    def __init__(self, seed: int) -> None:
        self._trees = ExtraTreesRegressor(_TREES, min_samples_leaf=_LEAF, random_state=seed, n_jobs=1)

    def fit(self, X: Floats, y: Floats) -> None:
        self._trees.fit(X, y)

    def predict(self, X: Floats) -> Floats:
        predicted: Floats = self._trees.predict(X)
        return predicted
