"""What a trained policy would earn, from episodes another one logged: the target's probabilities, and the evaluation."""

from __future__ import annotations

from typing import Final

import numpy as np

from rewardloop.errors import InvalidInput
from rewardloop.evaluation.sequential import Densities, QModel, SequentialReport, evaluate_episodes
from rewardloop.interactions import Floats
from rewardloop.rl.logged.acting import ServedPolicy
from rewardloop.rl.logged.episodes import Logged

DRAWS: Final = 8
"""Continuous actions drawn from the target at each state: V of a model is the mean of its Q over them."""


def judge(
    logged: Logged, policy: ServedPolicy, *, gamma: float = 1.0, level: float = 0.95, model: QModel = "trees", seed: int = 0
) -> SequentialReport:
    """Raises `InvalidInput` where the policy does not see or do what was logged, or no probabilities were."""
    trajectories = logged.trajectories()
    observation = seen(logged, policy)
    target = _distribution(logged, policy, observation) if policy.is_discrete else _densities(logged, policy, observation, seed)
    return evaluate_episodes(trajectories, target, gamma=gamma, level=level, model=model, seed=seed)


def seen(logged: Logged, policy: ServedPolicy) -> Floats:
    """(N, d) the observations in the order of the policy's inputs. Raises `InvalidInput` where they, or the actions, are others."""
    inputs, header = policy.head.inputs, logged.header
    _check_actions(logged, policy)
    if not header.inputs and logged.observation.shape[1] == len(inputs):
        return logged.observation
    place = {name: i for i, name in enumerate(header.inputs)}
    missing = next((name for name in inputs if name not in place), None)
    if missing is not None:
        raise InvalidInput(
            f"The policy sees `{missing}`, one of {len(inputs)} numbers; these episodes hold {logged.observation.shape[1]} others",
            at="$.observations",
        )
    return logged.observation[:, [place[name] for name in inputs]]


def _check_actions(logged: Logged, policy: ServedPolicy) -> None:
    head, header = policy.head, logged.header
    does = f"{head.n_arms} numbered actions" if policy.is_discrete else f"values from {head.low} to {head.high}"
    if policy.is_discrete != (logged.action.ndim == 1):
        kind = "numbered" if logged.action.ndim == 1 else "continuous"
        raise InvalidInput(f"The policy does {does}, the actions of these episodes are {kind}", at="$.actions")
    if policy.is_discrete and header.n_actions > head.n_arms:
        raise InvalidInput(f"The policy does {does}, these episodes hold {header.n_actions}", at="$.actions")
    if not policy.is_discrete and (logged.action.shape[1] != len(head.low) or (header.low and header.low != head.low)):
        raise InvalidInput(f"The policy does {does}, these episodes from {header.low} to {header.high}", at="$.actions")


def _distribution(logged: Logged, policy: ServedPolicy, observation: Floats) -> Floats:
    masks = [None] * len(observation) if logged.masks is None else logged.masks
    return np.array([policy.pmf(row, mask) for row, mask in zip(observation, masks, strict=True)])


def _densities(logged: Logged, policy: ServedPolicy, observation: Floats, seed: int) -> Densities:
    at = np.empty(len(observation))
    drawn = np.empty((len(observation), DRAWS, logged.action.shape[1]))
    seeds = np.random.default_rng(seed).integers(1 << 62, size=(len(observation), DRAWS))
    for i, row in enumerate(observation):
        spread = policy.spread(row)
        at[i] = policy.density(spread, logged.action[i].tolist())
        drawn[i] = [policy.draw(spread, int(each)).values for each in seeds[i]]
    return Densities(at, drawn)
