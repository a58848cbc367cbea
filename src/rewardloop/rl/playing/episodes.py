"""Playing: an actor and an environment make episodes. What an episode earned, and what the environment measured of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec
import numpy as np

from rewardloop.errors import TrainingFailed
from rewardloop.rl.environments import Env, EnvSpec, masks_of
from rewardloop.rl.guarding import make_guarded
from rewardloop.rl.toolkit import Actor

MAX_STEPS: Final = 1_000_000
METRICS: Final = "metrics"
"""Key of the last `info` of an episode under which an environment reports name → number: kWh, kelvin-hours, and the like."""

ACCOUNT: Final = ("energy_kwh", "hvac_kwh", "comfort_kelvin_hours", "peak_kw", "pue")
"""Members of a building's `episode_account` that are reported."""


class Episode(msgspec.Struct, frozen=True):
    """One episode from its reset to its end."""

    seed: int
    n_steps: int
    episode_return: float
    terminated: bool
    """False: cut off by a limit of time."""
    metrics: dict[str, float] = {}


class Step(msgspec.Struct, frozen=True):
    """One step as it was seen."""

    observation: Any
    action: Any
    reward: float
    info: dict[str, Any]
    masks: Any = None
    """What was possible when it acted; None where the environment does not say."""


Look = Callable[[Step], None]


def play(env: Env, actor: Actor, seed: int, look: Look = lambda _: None) -> Episode:
    """One episode. The same seed and a deterministic actor give the same episode wherever the seed determines the environment."""
    actor.begin(seed)
    observation, info = env.reset(seed=seed)
    total, terminated, truncated, n = 0.0, False, False, 0
    while not (terminated or truncated):
        if n >= MAX_STEPS:
            raise TrainingFailed(f"Expected an episode to end within {MAX_STEPS:,} steps, it did not; wrap it in a time limit")
        masks = masks_of(env)
        action = actor.act(observation, masks)
        seen, reward, terminated, truncated, info = env.step(action)
        look(Step(observation, action, float(reward), info, masks))
        observation, total, n = seen, total + float(reward), n + 1
    return Episode(seed, n, total, bool(terminated), _metrics(info))


def _metrics(info: dict[str, Any]) -> dict[str, float]:
    """What the environment measured, as finite numbers: its own `metrics`, or the account that a building keeps. Else nothing."""
    account = info.get("episode_account")
    own = info.get(METRICS)
    named = {**(_account(account) if account is not None else {}), **(own if isinstance(own, Mapping) else {})}
    return {str(name): float(value) for name, value in named.items() if _is_number(value)}


def _is_number(value: Any) -> bool:
    return isinstance(value, bool | int | float | np.number | np.bool_) and math.isfinite(value)


def _account(account: Any) -> dict[str, float]:
    return {name: getattr(account, name) for name in ACCOUNT if hasattr(account, name)}


def play_all(spec: EnvSpec, actor: Actor, seeds: Sequence[int], timeout_s: float | None = None) -> Iterator[Episode]:
    """One episode a seed, in one environment. Raises `SimulatorFailed` where that fails, or takes longer than `timeout_s`."""
    env = make_guarded(spec, timeout_s)
    try:
        for seed in seeds:
            yield play(env, actor, seed)
    finally:
        env.close()
