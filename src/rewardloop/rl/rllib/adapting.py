"""Any environment as RLlib's networks take it: one flat row of numbers (or a picture from 0 to 1) in, a plain action out."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from rewardloop.errors import InvalidInput
from rewardloop.rl.environments import Env

Floats = np.ndarray[Any, Any]


class Adapted(gymnasium.Wrapper[Any, Any, Any, Any]):
    """The environment with simple spaces of its own."""

    def __init__(self, env: Env) -> None:
        super().__init__(env)
        self.observation_space = flat_space(env.observation_space)
        self.action_space = simple_space(env.action_space)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        observation, info = self.env.reset(seed=seed, options=options)
        return flat(self.env.observation_space, observation), info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        observation, reward, terminated, truncated, info = self.env.step(native(self.env.action_space, action))
        return flat(self.env.observation_space, observation), float(reward), bool(terminated), bool(truncated), info


def is_picture(space: spaces.Space[Any]) -> bool:
    return isinstance(space, spaces.Box) and len(space.shape) == 3 and space.dtype == np.uint8


def flat_space(space: spaces.Space[Any]) -> spaces.Box:
    """The space of `flat`. Raises `InvalidInput` for parts that are no numbers.

    >>> flat_space(spaces.Dict({"a": spaces.Box(0, 1, (2,)), "b": spaces.Discrete(3)})).shape
    (5,)
    """
    if is_picture(space):
        return spaces.Box(0.0, 1.0, space.shape, np.float32)
    return spaces.Box(-np.inf, np.inf, (sum(width(part) for _, part in parts_of(space)),), np.float32)


def flat(space: spaces.Space[Any], observation: Any) -> Floats:
    """An observation as float32: numbered states as one-hot vectors, the parts of a dictionary one after another.

    >>> flat(spaces.Discrete(3, start=1), 2).tolist()
    [0.0, 1.0, 0.0]
    """
    if is_picture(space):
        return (np.asarray(observation) / np.float32(255.0)).astype(np.float32)
    named = observation if isinstance(space, spaces.Dict) else {"": observation}
    return np.concatenate([np.asarray(spaces.flatten(part, named[name]), np.float32).ravel() for name, part in parts_of(space)])


def parts_of(space: spaces.Space[Any]) -> list[tuple[str, spaces.Space[Any]]]:
    """The parts of an observation in order; one without a name where it is no dictionary."""
    return list(space.spaces.items()) if isinstance(space, spaces.Dict) else [("", space)]


def width(part: spaces.Space[Any]) -> int:
    """Numbers in the flat row."""
    if not isinstance(part, spaces.Box | spaces.Discrete | spaces.MultiDiscrete | spaces.MultiBinary):
        raise InvalidInput(f"Expected an observation of numbers, or a dict of such, got {part}", at="--env")
    return int(spaces.flatdim(part))


def simple_space(space: spaces.Space[Any]) -> spaces.Space[Any]:
    """
    >>> simple_space(spaces.MultiBinary(3)), simple_space(spaces.Discrete(2, start=5))
    (MultiDiscrete([2 2 2]), Discrete(2))
    """
    match space:
        case spaces.Discrete():
            return spaces.Discrete(int(space.n))
        case spaces.MultiDiscrete():
            return spaces.MultiDiscrete(space.nvec.ravel())
        case spaces.MultiBinary():
            return spaces.MultiDiscrete([2] * int(np.prod(space.shape)))
        case spaces.Box():
            return spaces.Box(space.low.ravel().astype(np.float32), space.high.ravel().astype(np.float32), dtype=np.float32)
    return space


def native(space: spaces.Space[Any], action: Any) -> Any:
    """A simple action as one of the environment's own."""
    match space:
        case spaces.Discrete():
            return int(action) + int(space.start)
        case spaces.MultiDiscrete():
            return (np.asarray(action).reshape(space.shape) + space.start).astype(space.dtype)
        case spaces.Box():
            bounded = np.clip(np.asarray(action, np.float64).reshape(space.shape), space.low, space.high)
            return bounded.astype(space.dtype)
    return np.asarray(action).reshape(space.shape or ()).astype(space.dtype)
