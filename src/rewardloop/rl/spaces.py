"""What kind of spaces an environment has, and a hash that tells two environments' spaces apart."""

from __future__ import annotations

import hashlib
from functools import reduce
from typing import Any, Literal

import msgspec
import numpy as np
import numpy.typing as npt
from gymnasium import spaces

from rewardloop.errors import InvalidInput
from rewardloop.rl.answers import choices_of
from rewardloop.rl.environments import Env, has_masks

Masks = npt.NDArray[np.bool_]
ActionKind = Literal["discrete", "box", "multi_discrete", "multi_binary"]
ObservationKind = Literal["box", "discrete", "multi_discrete", "multi_binary", "dict", "goal", "pixels"]
_GOAL = {"observation", "achieved_goal", "desired_goal"}
_LISTED = 4_096


class Facts(msgspec.Struct, frozen=True):
    """What an algorithm must know of an environment before it may be chosen."""

    action: ActionKind
    observation: ObservationKind
    masks: bool
    """It says which actions are possible now."""
    spaces: str
    """Both spaces in words."""
    spaces_hash: str
    """SHA-256 of both spaces, bounds included."""


def facts_of(env: Env) -> Facts:
    """Raises `InvalidInput` for a space that no algorithm here knows.

    >>> from rewardloop.rl.environments import EnvSpec, make_env
    >>> facts = facts_of(make_env(EnvSpec("CartPole-v1")))
    >>> facts.action, facts.observation, facts.masks
    ('discrete', 'box', False)
    """
    described = [describe(env.observation_space), describe(env.action_space)]
    return Facts(
        action_kind(env.action_space),
        observation_kind(env.observation_space),
        has_masks(env),
        f"{_words(env.observation_space)} → {_words(env.action_space)}",
        hashlib.sha256(msgspec.json.encode(described)).hexdigest(),
    )


def action_kind(space: spaces.Space[Any]) -> ActionKind:
    match space:
        case spaces.Discrete():
            return "discrete"
        case spaces.Box() if np.isfinite(space.low).all() and np.isfinite(space.high).all():
            return "box"
        case spaces.MultiDiscrete():
            return "multi_discrete"
        case spaces.MultiBinary():
            return "multi_binary"
    raise InvalidInput(f"Expected an action space that is discrete, a bounded box, multi-discrete or binary, got {space}")


def n_arms(space: spaces.Space[Any]) -> int:
    """How many arms a space of choices has, every combination being one; raises `InvalidInput` for any other space.

    >>> n_arms(spaces.MultiDiscrete([2, 3])), n_arms(spaces.MultiBinary(3))
    (6, 8)
    """
    match space:
        case spaces.Discrete():
            return int(space.n)
        case spaces.MultiDiscrete():
            return int(np.prod(space.nvec))
        case spaces.MultiBinary():
            return int(2 ** np.prod(space.shape))
    raise InvalidInput(f"Expected actions that are arms to serve, got {space}")


def possible_arms(space: spaces.Space[Any], masks: Masks) -> Masks:
    """The flags of an environment's `action_masks`, choice after choice, as one for each arm: every way of choosing.

    >>> possible_arms(spaces.MultiDiscrete([2, 2]), np.array([True, True, False, True])).tolist()
    [False, True, False, True]
    """
    each = np.split(masks, np.cumsum(choices_of(space))[:-1])
    return reduce(np.logical_and.outer, each).ravel()


def observation_kind(space: spaces.Space[Any]) -> ObservationKind:
    """Raises `InvalidInput` for what is not numbers, or a dictionary of numbers.

    >>> observation_kind(spaces.Dict({"tank": spaces.Dict({"level": spaces.Box(0, 1, (2,))})}))
    Traceback (most recent call last):
    rewardloop.errors.InvalidInput: Expected numbers, got a dictionary within one; flatten it - at `$.tank`
    """
    match space:
        case spaces.Dict() if space.spaces:
            for name, part in space.spaces.items():
                if observation_kind(part) in ("dict", "goal"):
                    raise InvalidInput(
                        "Expected numbers, got a dictionary within one; flatten it",
                        at=f"$.{name}",
                    )
            return "goal" if set(space.spaces) == _GOAL else "dict"
        case spaces.Box() if np.prod(space.shape) > 0:
            return "pixels" if len(space.shape) == 3 and space.dtype == np.uint8 else "box"
        case spaces.Discrete():
            return "discrete"
        case spaces.MultiDiscrete():
            return "multi_discrete"
        case spaces.MultiBinary():
            return "multi_binary"
    raise InvalidInput(f"Expected an observation space of numbers, or a dict of such spaces, got {space}")


def describe(space: spaces.Space[Any]) -> object:
    """A space as plain values: equal for equal spaces, bounds and types included."""
    match space:
        case spaces.Dict():
            return {name: describe(part) for name, part in sorted(space.spaces.items())}
        case spaces.Box():
            return ["box", list(space.shape), str(space.dtype), _bounds(space.low), _bounds(space.high)]
        case spaces.Discrete():
            return ["discrete", int(space.n), int(space.start)]
        case spaces.MultiDiscrete():
            return ["multi_discrete", space.nvec.tolist(), np.asarray(space.start).tolist()]
        case spaces.MultiBinary():
            return ["multi_binary", list(space.shape)]
    return [type(space).__name__, repr(space)]


def _bounds(values: np.ndarray[Any, Any]) -> object:
    """Infinities have no word in JSON; a picture's bounds are too many to write down."""
    if values.size > _LISTED:
        return hashlib.sha256(np.ascontiguousarray(values).tobytes()).hexdigest()
    return [repr(float(value)) for value in values.ravel()]


def _words(space: spaces.Space[Any]) -> str:
    match space:
        case spaces.Dict():
            return "{" + ", ".join(f"{name}: {_words(part)}" for name, part in space.spaces.items()) + "}"
        case spaces.Box():
            return f"box{list(space.shape)}"
        case spaces.Discrete():
            return f"{space.n} choices"
        case spaces.MultiDiscrete():
            return "×".join(map(str, space.nvec.ravel().tolist())) + " choices"
    return str(space)
