"""The best constant action: the baseline that a policy must beat before anybody calls it intelligent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import optuna
from gymnasium import spaces

from rewardloop.errors import InvalidInput
from rewardloop.rl.environments import EnvSpec
from rewardloop.rl.guarding import make_guarded
from rewardloop.rl.playing.controllers import constant
from rewardloop.rl.playing.episodes import play

_LISTED: Final = 64


def tuned_constant(
    spec: EnvSpec, seeds: Sequence[int], *, n_trials: int, seed: int = 0, timeout_s: float | None = None
) -> tuple[Any, float]:
    """The action whose mean return over the seeds is the highest of those tried, and that mean.

    Up to 64 discrete actions are all tried; of others, `n_trials` are by the tree-structured Parzen estimator.
    """
    env = make_guarded(spec, timeout_s)
    try:

        def worth(action: Any) -> float:
            return float(np.mean([play(env, constant(action), one).episode_return for one in seeds]))

        space = env.action_space
        if isinstance(space, spaces.Discrete) and int(space.n) <= _LISTED:
            found = {int(space.start) + i: 0.0 for i in range(int(space.n))}
            found = {action: worth(action) for action in found}
            best = max(found, key=lambda action: found[action])
            return best, found[best]
        return _searched(space, worth, n_trials, seed)
    finally:
        env.close()


def _searched(space: spaces.Space[Any], worth: Any, n_trials: int, seed: int) -> tuple[Any, float]:
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed))
        for _ in range(n_trials):  # `optimize` would log a traceback for Ctrl-C
            trial = study.ask()
            study.tell(trial, float(worth(_suggested(trial, space))))
    finally:
        optuna.logging.set_verbosity(before)
    return _suggested(optuna.trial.FixedTrial(study.best_params), space), float(study.best_value)


def _suggested(trial: Any, space: spaces.Space[Any]) -> Any:
    match space:
        case spaces.Box():
            pairs = zip(space.low.ravel(), space.high.ravel(), strict=True)
            values = [trial.suggest_float(f"a{i}", float(low), float(high)) for i, (low, high) in enumerate(pairs)]
            return np.array(values, space.dtype).reshape(space.shape).clip(space.low, space.high)
        case spaces.Discrete():
            return trial.suggest_int("a", int(space.start), int(space.start) + int(space.n) - 1)
        case spaces.MultiDiscrete():
            chosen = [trial.suggest_int(f"a{i}", 0, int(n) - 1) for i, n in enumerate(space.nvec.ravel())]
            return (np.array(chosen).reshape(space.shape) + space.start).astype(space.dtype)
        case spaces.MultiBinary():
            return np.array([trial.suggest_int(f"a{i}", 0, 1) for i in range(int(np.prod(space.shape)))], space.dtype)
    raise InvalidInput(f"Expected an action space with constants to try, got {space}")
