"""From a plan to RLlib's configuration, and from that to an algorithm that trains or a network that only acts."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any, Final

import numpy as np
from gymnasium import spaces
from ray.rllib.algorithms.algorithm import Algorithm as Trainer
from ray.rllib.algorithms.algorithm_config import AlgorithmConfig
from ray.rllib.connectors.env_to_module import MeanStdFilter
from ray.rllib.core import DEFAULT_MODULE_ID
from ray.rllib.core.rl_module.rl_module import RLModule
from ray.rllib.env.env_context import EnvContext
from ray.tune.registry import register_env

from rewardloop.errors import InvalidInput
from rewardloop.rl.algorithms import check_fits, find_algorithm
from rewardloop.rl.environments import Env, EnvSpec, make_env
from rewardloop.rl.guarding import Guarded, worker_env
from rewardloop.rl.rllib.adapting import Adapted, flat_space, is_picture, simple_space
from rewardloop.rl.rllib.parameters import apply
from rewardloop.rl.rllib.table import ROWS, config_of
from rewardloop.rl.spaces import facts_of
from rewardloop.rl.toolkit import Plan

_NAME: Final = "rewardloop"
_FOREVER_S: Final = 1e9
_REPORT_EVERY: Final = 1_000


class Maker:
    """Makes the environment of a plan wherever Ray puts a worker; the trainer's own process is worker 0."""

    def __init__(self, spec: EnvSpec, words: Path, timeout_s: float) -> None:
        self._spec = spec
        self._words = words
        self._timeout_s = timeout_s
        self._path = tuple(sys.path)

    def __call__(self, context: EnvContext) -> Env:
        alone = context.worker_index == 0
        sys.path += [entry for entry in self._path if entry not in sys.path]  # Where the user's own module was found.
        words = self._words / f"{context.worker_index}.txt"
        return Adapted(Guarded(worker_env(self._spec, words, self._timeout_s), words, self._timeout_s, alone=alone))


def seen_and_done(plan: Plan) -> tuple[spaces.Space[Any], spaces.Space[Any]]:
    """The environment's own spaces; raises `InvalidInput` where the algorithm or the plan cannot take them."""
    env = make_env(plan.env, timeout_s=plan.step_timeout_s)
    try:
        facts, both = facts_of(env), (env.observation_space, env.action_space)
    finally:
        env.close()
    check_fits(find_algorithm(ROWS, plan.algorithm), facts, ROWS, plan.env.id)
    if plan.normalise and is_picture(both[0]):
        raise InvalidInput("Expected observations of real numbers to normalise, got pixels ones", at="--normalise")
    if plan.normalise and plan.algorithm == "dreamerv3":
        raise InvalidInput("`dreamerv3` scales observations by itself: leave `--normalise` out", at="--normalise")
    return both


def configure(plan: Plan, seed: int) -> AlgorithmConfig:
    """Local learner; environments here for one worker, in Ray actors of their own for more. Raises `InvalidInput`."""
    seen, done = seen_and_done(plan)
    config = config_of(plan.algorithm).framework("torch").environment(_NAME)
    config.environment(observation_space=flat_space(seen), action_space=simple_space(done))
    config.learners(num_learners=0, num_gpus_per_learner=0).debugging(seed=seed, log_level="ERROR")
    config.env_runners(num_env_runners=0 if plan.n_workers == 1 else plan.n_workers, sample_timeout_s=_FOREVER_S)
    config.fault_tolerance(restart_failed_env_runners=False, ignore_env_runner_failures=False)
    every = min(_REPORT_EVERY, plan.checkpoint_every)
    config.reporting(min_time_s_per_iteration=0, min_sample_timesteps_per_iteration=every)
    if plan.normalise:
        config.env_runners(env_to_module_connector=lambda env=None, spaces=None, device=None: MeanStdFilter())
    return apply(config, plan.algorithm, plan.parameters)


def build(plan: Plan, words: Path, seed: int) -> Trainer:
    """An algorithm that has learned nothing; Ray is running. Raises `InvalidInput` where it refuses its hyperparameters."""
    config = configure(plan, seed)
    register_env(_NAME, Maker(plan.env, words, plan.step_timeout_s))
    words.mkdir(parents=True, exist_ok=True)
    try:
        trainer = config.build_algo()
    except (TypeError, ValueError, AssertionError) as error:
        raise _refused(plan, error) from None
    shutil.rmtree(trainer.logdir, ignore_errors=True)  # An empty folder in the user's home.
    return trainer


def build_network(plan: Plan) -> RLModule:
    """The network alone, without Ray or an environment."""
    config = configure(plan, plan.seed)
    own = (config.observation_space, config.action_space)
    try:
        return config.get_multi_rl_module_spec(spaces={DEFAULT_MODULE_ID: own}).build()[DEFAULT_MODULE_ID]
    except (TypeError, ValueError, AssertionError) as error:
        raise _refused(plan, error) from None


def seed_at(plan: Plan, n_steps: int) -> int:
    """Of a training that goes on from there."""
    return int(np.random.SeedSequence([plan.seed, n_steps]).generate_state(1)[0] >> 1)


def _refused(plan: Plan, error: Exception) -> InvalidInput:
    return InvalidInput(f"`{plan.algorithm}` refuses its hyperparameters: {' '.join(str(error).split())[:400]}", at="--param")
