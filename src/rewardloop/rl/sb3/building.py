"""From a plan to a model and its environments: workers, masks, pictures, dictionaries and normalisation are seen to here."""

from __future__ import annotations

from functools import partial
from multiprocessing import forkserver
from pathlib import Path
from typing import Any, Final

import gymnasium
import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv, VecEnv, VecNormalize

from rewardloop.errors import InvalidInput
from rewardloop.interrupts import deferred
from rewardloop.rl.algorithms import check_fits, find_algorithm
from rewardloop.rl.environments import Env, EnvSpec, make_env
from rewardloop.rl.guarding import Guarded, worker_env
from rewardloop.rl.sb3.parameters import arguments
from rewardloop.rl.sb3.starting import begin_at
from rewardloop.rl.sb3.table import ROWS, class_of
from rewardloop.rl.spaces import Facts, facts_of
from rewardloop.rl.toolkit import Plan

_CLIP: Final = 10.0


class SpacesOnly(gymnasium.Env[Any, Any]):
    """Stands where a model that only acts would have an environment: it says its spaces, and there is nothing to step."""

    def __init__(self, observation_space: spaces.Space[Any], action_space: spaces.Space[Any]) -> None:
        self.observation_space = observation_space
        self.action_space = from_zero(action_space)
        self.start = start_of(action_space)
        """What an action of the model has to be raised by."""


class FromZero(gymnasium.ActionWrapper[Any, Any, Any]):
    """Actions are counted from 0, which is all that Stable-Baselines3 knows."""

    def __init__(self, env: Env) -> None:
        super().__init__(env)
        self._start = start_of(env.action_space)
        self.action_space = from_zero(env.action_space)

    def action(self, action: Any) -> Any:
        return action + self._start


def start_of(space: spaces.Space[Any]) -> Any:
    """The first action's number, or the first of each choice; 0 where nothing is counted."""
    return space.start if isinstance(space, spaces.Discrete | spaces.MultiDiscrete) else 0


def from_zero(space: spaces.Space[Any]) -> spaces.Space[Any]:
    """
    >>> from_zero(spaces.Discrete(2, start=3)), from_zero(spaces.Box(0, 1, (2,)))
    (Discrete(2), Box(0.0, 1.0, (2,), float32))
    """
    if not np.any(start_of(space)):
        return space
    return spaces.Discrete(int(space.n)) if isinstance(space, spaces.Discrete) else spaces.MultiDiscrete(space.nvec)  # type: ignore[attr-defined]


def build(plan: Plan, words: Path) -> BaseAlgorithm:
    """A model that has learned nothing, over its environments. The caller closes `model.get_env()`.

    Raises `InvalidInput` where the algorithm cannot take the environment or a hyperparameter.
    """
    facts, _ = check(plan)
    return _over(plan, facts, vectorised(plan, facts, words))


def build_for_acting(plan: Plan) -> BaseAlgorithm:
    """The same over nothing but the environment's spaces."""
    facts, stand_in = check(plan)
    env: VecEnv = DummyVecEnv([lambda: stand_in])
    return _over(plan, facts, _normalised(env, facts, plan) if plan.normalise else env)


def _over(plan: Plan, facts: Facts, env: VecEnv) -> BaseAlgorithm:
    torch.set_num_threads(1)
    try:
        return unlearned(plan, facts, env)
    except (TypeError, ValueError, AssertionError) as error:
        env.close()
        raise InvalidInput(f"`{plan.algorithm}` refuses its hyperparameters: {error}", at="--param") from None
    except BaseException:
        env.close()
        raise


def check(plan: Plan) -> tuple[Facts, SpacesOnly]:
    """What the plan's environment is, and its spaces; raises `InvalidInput` where the algorithm cannot take it."""
    env = make_env(plan.env, timeout_s=plan.step_timeout_s)
    try:
        facts, stand_in = facts_of(env), SpacesOnly(env.observation_space, env.action_space)
    finally:
        env.close()
    check_fits(find_algorithm(ROWS, plan.algorithm), facts, ROWS, plan.env.id)
    if plan.ray:
        raise InvalidInput(
            "Toolkit `sb3` trains on one machine: leave --ray out, or choose a toolkit that knows a cluster", at="--ray"
        )
    return facts, stand_in


def vectorised(plan: Plan, facts: Facts, words: Path) -> VecEnv:
    """Environments side by side: in this process for one, in processes of their own for more."""
    alone = plan.n_workers == 1
    makers = [
        partial(_worker, plan.training_env, words / f"{i}.txt", plan.step_timeout_s, alone=alone) for i in range(plan.n_workers)
    ]
    if not alone:
        with deferred():  # Of whom the workers are born: the trainer decides, and ends them.
            forkserver.ensure_running()
    env: VecEnv = DummyVecEnv([*makers]) if alone else SubprocVecEnv([*makers], start_method="forkserver")
    return _normalised(env, facts, plan) if plan.normalise else env


def unlearned(plan: Plan, facts: Facts, env: VecEnv) -> BaseAlgorithm:
    """The model itself."""
    kind = class_of(plan.algorithm, facts.action)
    n_actions = env.action_space.shape[0] if isinstance(env.action_space, spaces.Box) else 1
    chosen = arguments(kind, plan.algorithm, plan.parameters, plan.n_steps, n_actions)
    model = kind(policy_name(plan.algorithm, facts), env, seed=plan.seed, device="cpu", **chosen)
    if "initial_action" in plan.parameters:
        begin_at(model, plan.parameters["initial_action"])
    return model


def policy_name(algorithm: str, facts: Facts) -> str:
    """
    >>> policy_name("recurrentppo", Facts("discrete", "pixels", False, "", ""))
    'CnnLstmPolicy'
    """
    family = {"pixels": "Cnn", "dict": "MultiInput", "goal": "MultiInput"}.get(facts.observation, "Mlp")
    return f"{family}{'Lstm' if algorithm == 'recurrentppo' else ''}Policy"


def _worker(spec: EnvSpec, words: Path, timeout_s: float, *, alone: bool) -> Monitor[Any, Any]:
    env = Guarded(worker_env(spec, words, timeout_s), words, timeout_s, alone=alone)
    return Monitor(FromZero(env) if np.any(start_of(env.action_space)) else env)


def _normalised(env: VecEnv, facts: Facts, plan: Plan) -> VecNormalize:
    space = env.observation_space
    keys = [name for name, part in space.spaces.items() if _is_numbers(part)] if isinstance(space, spaces.Dict) else None
    if keys == [] or (keys is None and not _is_numbers(space)):
        env.close()
        raise InvalidInput(f"Expected observations of real numbers to normalise, got {facts.observation} ones", at="--normalise")
    gamma = float(plan.parameters.get("gamma", 0.99))
    return VecNormalize(env, norm_obs_keys=keys, clip_obs=_CLIP, clip_reward=_CLIP, gamma=gamma)


def _is_numbers(space: spaces.Space[Any]) -> bool:
    return isinstance(space, spaces.Box) and not (len(space.shape) == 3 and np.dtype(space.dtype).kind == "u")
