"""Fitted Q evaluation: what each action is worth under the target policy, by regression on its own next value, cross-fitted.

Source: Le, Voloshin & Yue 2019, algorithm 3. Each fold's values come from a model that never saw its episodes, so that doubly
robust estimators stay unbiased (Chernozhukov et al. 2018). How a regression smooths is settled before the first round, so that
each round is a few matrix products: see `smoothing`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from rewardloop.evaluation.sequential.smoothing import QModel, Smoother, smoother
from rewardloop.evaluation.sequential.target import Densities
from rewardloop.evaluation.sequential.trajectories import Trajectories
from rewardloop.interactions import Floats, Ints

Mask = npt.NDArray[np.bool_]

N_FOLDS = 3
_SETTLED = 1e-4
"""A round that moves no value by more than this share of the values' spread was the last."""
MAX_ROUNDS = 200
ROUNDS_A_STEP = 4
"""A value travels a step a round, and a fit that cannot follow it exactly needs more."""


def fitted_q(trajectories: Trajectories, target: Floats, *, gamma: float = 1.0, model: QModel = "trees", seed: int = 0) -> Floats:
    """(N, K) Q(s_t, a) for every logged state and every action. `target` (N, K) is the target's distribution at those states.

    The number of a step is a feature, for episodes that end by the clock. An action that a fold never took is worth the mean.
    """
    q = np.zeros(target.shape)
    states = with_time(trajectories, trajectories.observation)
    guide = _guide(trajectories, gamma)
    for held_out, rows in folds(trajectories, seed):
        taken = [np.flatnonzero(rows & (trajectories.action == a)) for a in range(target.shape[1])]
        fits = [smoother(model, states[mine], guide[mine], states, seed + a) if len(mine) else None for a, mine in enumerate(taken)]

        def values(wanted: Floats, fits: list[Smoother | None] = fits, taken: list[Ints] = taken, rows: Mask = rows) -> Floats:
            mean = float(wanted[rows].mean())
            columns = [np.full(len(wanted), mean) if fit is None else fit(wanted[i]) for fit, i in zip(fits, taken, strict=True)]
            return np.column_stack(columns)

        q[held_out] = _settle(trajectories, gamma, values, lambda found: (target * found).sum(axis=1))[held_out]
    return q


def fitted_values(
    trajectories: Trajectories, target: Densities, *, gamma: float = 1.0, model: QModel = "trees", seed: int = 0
) -> tuple[Floats, Floats]:
    """(N,) Q(s_t, a_t) and (N,) V(s_t) of continuous actions, which stand beside the state. V: over the target's draws."""
    q, v = np.zeros(trajectories.n_steps), np.zeros(trajectories.n_steps)
    logged = with_time(trajectories, np.hstack([trajectories.observation, trajectories.values]))
    draws = [with_time(trajectories, np.hstack([trajectories.observation, drawn])) for drawn in target.drawn.swapaxes(0, 1)]
    guide = _guide(trajectories, gamma)
    for held_out, rows in folds(trajectories, seed):
        mine = np.flatnonzero(rows)
        fit = smoother(model, logged[mine], guide[mine], np.vstack([logged, *draws]), seed)

        def values(wanted: Floats, fit: Smoother = fit, mine: Ints = mine) -> Floats:
            return fit(wanted[mine]).reshape(len(draws) + 1, -1).T

        found = _settle(trajectories, gamma, values, lambda found: found[:, 1:].mean(axis=1))
        q[held_out], v[held_out] = found[held_out, 0], found[held_out, 1:].mean(axis=1)
    return q, v


def folds(trajectories: Trajectories, seed: int) -> Iterator[tuple[Mask, Mask]]:
    """(N,) the steps held out and (N,) those to fit on, whole episodes each; a single episode is both."""
    fold = np.random.default_rng(seed).permutation(len(trajectories)) % min(N_FOLDS, len(trajectories))
    of_step = fold[trajectories.episode]
    for i in range(int(fold.max()) + 1):
        held_out = of_step == i
        yield held_out, held_out if held_out.all() else ~held_out


def with_time(trajectories: Trajectories, columns: Floats) -> Floats:
    """(N, d + 1) with the number of the step, as a share of the longest episode's."""
    return np.column_stack([columns, trajectories.step / max(int(trajectories.lengths.max()) - 1, 1)])


def _settle(
    trajectories: Trajectories, gamma: float, values: Callable[[Floats], Floats], ahead: Callable[[Floats], Floats]
) -> Floats:
    """Rounds of r + γ V(next) until nothing moves. `values` fits, `ahead` (N,) is V of what was fitted."""
    following = np.where(trajectories.is_last, 0, np.arange(trajectories.n_steps) + 1)
    goes_on = ~trajectories.is_last
    low, high = _attainable(trajectories, gamma)
    found = values(trajectories.reward)
    for _ in range(min(MAX_ROUNDS, ROUNDS_A_STEP * int(trajectories.lengths.max()))):
        after = np.clip(values(trajectories.reward + gamma * ahead(found)[following] * goes_on), low, high)
        moved = float(np.abs(after - found).max())
        found = after
        if moved <= _SETTLED * max(float(np.ptp(found)), 1e-12):
            break
    return found


def _attainable(trajectories: Trajectories, gamma: float) -> tuple[float, float]:
    """No value lies outside what the worst or the best reward at every step would sum to: a fit must not run away."""
    steps = float((gamma ** np.arange(int(trajectories.lengths.max()))).sum())
    return steps * min(float(trajectories.reward.min()), 0.0), steps * max(float(trajectories.reward.max()), 0.0)


def _guide(trajectories: Trajectories, gamma: float) -> Floats:
    """(N, 2) the reward, and what was earned from each step on: what states must be told apart by."""
    reward = trajectories.padded(trajectories.reward)
    ahead = np.zeros_like(reward)
    ahead[:, -1] = reward[:, -1]
    for t in range(reward.shape[1] - 2, -1, -1):
        ahead[:, t] = reward[:, t] + gamma * ahead[:, t + 1]
    return np.column_stack([trajectories.reward, ahead[trajectories.episode, trajectories.step]])
