"""From the name of an environment to an environment that may be trained on. What its spaces are is said by `spaces`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import gymnasium
import msgspec
import numpy as np
from gymnasium.error import Error as GymnasiumError

from rewardloop.errors import InvalidInput, NotFound, did_you_mean
from rewardloop.rl.by_name import module_of
from rewardloop.simulators.registration import register

Parameter = None | bool | int | float | str | list["Parameter"] | dict[str, "Parameter"]
"""What JSON can say."""
Env = gymnasium.Env[Any, Any]
_REMOTE = "remote:"


class EnvSpec(msgspec.Struct, frozen=True):
    """An environment as a run names it.

    >>> EnvSpec("CartPole-v1").id
    'CartPole-v1'
    """

    id: str
    """A gymnasium id (`CartPole-v1`), `module:Name` for a class or function of your own that returns an environment, or
    `remote:PORT` or `remote:HOST:PORT`, where a simulator will connect."""
    parameters: dict[str, Any] = {}
    """Handed to it as keyword arguments; JSON values."""


def make_env(spec: EnvSpec, *, render: bool = False) -> Env:
    """A fresh environment, its first observation looked at. Raises `NotFound` and `InvalidInput`, each with the reason.

    >>> make_env(EnvSpec("CartPole-v0815"))
    Traceback (most recent call last):
    rewardloop.errors.NotFound: Unknown environment `CartPole-v0815`; did you mean `CartPole-v1`? - at `--env`
    """
    parameters = {**spec.parameters, "render_mode": "rgb_array"} if render else spec.parameters
    try:
        env = _remote(spec.id, parameters) if spec.id.startswith(_REMOTE) else _named(spec.id, parameters)
    except TypeError as error:
        if render:
            make_env(spec).close()  # Where it cannot be made at all, that is what is said.
            raise InvalidInput(f'`{spec.id}` cannot be filmed: it takes no `render_mode="rgb_array"`', at="--video") from None
        raise InvalidInput(f"Environment `{spec.id}` does not take these parameters: {error}", at="--env-param") from None
    if not isinstance(env, gymnasium.Env):
        raise InvalidInput(f"Expected a gymnasium environment from `{spec.id}`, got {type(env).__name__}", at="--env")
    _check(env, spec.id)
    return env


def has_masks(env: Env) -> bool:
    """Whether it says by a method `action_masks` which actions are possible now."""
    try:
        return callable(env.get_wrapper_attr("action_masks"))
    except AttributeError:
        return False


def masks_of(env: Env) -> np.ndarray[Any, np.dtype[np.bool_]] | None:
    """What is possible now, flat; None where the environment does not say."""
    return np.asarray(env.get_wrapper_attr("action_masks")(), dtype=bool) if has_masks(env) else None


def _named(name: str, parameters: Mapping[str, Any]) -> Env:
    return _own(name, parameters) if ":" in name else _registered(name, parameters)


def _remote(name: str, parameters: Mapping[str, Any]) -> Env:
    return _registered("rewardloop/Remote-v0", {**parameters, "address": name.removeprefix(_REMOTE)})


def _registered(name: str, parameters: Mapping[str, Any]) -> Env:
    register()
    if name not in gymnasium.registry:
        raise NotFound(f"Unknown environment `{name}`{did_you_mean(name, gymnasium.registry)}", at="--env")
    try:
        return gymnasium.make(name, disable_env_checker=True, **parameters)
    except (GymnasiumError, ImportError) as error:
        raise InvalidInput(f"Environment `{name}` cannot be made: {_first_line(error)}", at="--env") from None


def _own(name: str, parameters: Mapping[str, Any]) -> Env:
    module, attribute = module_of(name, "--env")
    if attribute in gymnasium.registry:  # Gymnasium's own spelling: import the module, which registers the id.
        return _registered(attribute, parameters)
    maker: Callable[..., Env] | None = getattr(module, attribute, None)
    if not callable(maker):
        raise NotFound(f"Module `{name.partition(':')[0]}` has no `{attribute}`{did_you_mean(attribute, vars(module))}", at="--env")
    return maker(**parameters)


def _check(env: Env, name: str) -> None:
    """An environment whose first observation is not what it promises would train to nonsense, hours later."""
    try:
        observation, _ = env.reset(seed=0)
    except BaseException:
        env.close()
        raise
    if not env.observation_space.contains(observation):
        env.close()
        raise InvalidInput(
            f"The first observation of `{name}` is not in its observation space {env.observation_space}: got {observation!r:.200}",
            at="--env",
        )


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
