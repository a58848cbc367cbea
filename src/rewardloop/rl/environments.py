"""From the name of an environment to an environment that may be trained on. What its spaces are is said by `spaces`."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import gymnasium
import msgspec
import numpy as np
from gymnasium.error import Error as GymnasiumError

from rewardloop.errors import InvalidInput, NotFound, RewardloopError, SimulatorFailed, did_you_mean
from rewardloop.rl.answers import answered_within, check_answer, check_masks, quoted, why_not_in
from rewardloop.rl.by_name import module_of
from rewardloop.simulators.registration import register

Parameter = None | bool | int | float | str | list["Parameter"] | dict[str, "Parameter"]
"""What JSON can say."""
Env = gymnasium.Env[Any, Any]
_REMOTE: Final = "remote:"
MASKS: Final = "action_masks"
"""The method by which an environment says which actions are possible now."""


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


def make_env(spec: EnvSpec, *, render: bool = False, timeout_s: float | None = None) -> Env:
    """A fresh environment, its first observation looked at. Raises `NotFound` and `InvalidInput`, each with the reason,
    `SimulatorFailed` for what it raises itself, and `SimulatorHung` where that takes longer than `timeout_s`.

    >>> make_env(EnvSpec("CartPole-v0815"))
    Traceback (most recent call last):
    rewardloop.errors.NotFound: Unknown environment `CartPole-v0815`; did you mean `CartPole-v1`? - at `--env`
    """
    parameters = {**spec.parameters, "render_mode": "rgb_array"} if render else spec.parameters
    is_remote = spec.id.startswith(_REMOTE)
    with answered_within(None if is_remote else timeout_s, "at its beginning"):  # One that connects has limits of its own.
        try:
            env = _remote(spec.id, parameters) if is_remote else _named(spec.id, parameters)
        except _Unparametrised as error:
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
        return callable(env.get_wrapper_attr(MASKS))
    except AttributeError:
        return False


def masks_of(env: Env) -> np.ndarray[Any, np.dtype[np.bool_]] | None:
    """What is possible now, flat; None where the environment does not say."""
    return np.asarray(env.get_wrapper_attr(MASKS)(), dtype=bool) if has_masks(env) else None


def offered(env: Env, name: str, otherwise: Any) -> Any:
    """What its method `name` answers, or `otherwise` where it has none. Raises `SimulatorFailed` for what that raises."""
    try:
        method = env.get_wrapper_attr(name)
    except AttributeError:
        return otherwise
    try:
        return method()
    except Exception as error:
        raise SimulatorFailed(f"`{name}` of the environment failed: {quoted(error)}") from error


def _named(name: str, parameters: Mapping[str, Any]) -> Env:
    return _own(name, parameters) if ":" in name else _registered(name, parameters)


def _remote(name: str, parameters: Mapping[str, Any]) -> Env:
    return _registered("rewardloop/Remote-v0", {**parameters, "address": name.removeprefix(_REMOTE)})


def _registered(name: str, parameters: Mapping[str, Any]) -> Env:
    register()
    if name not in gymnasium.registry:
        raise NotFound(f"Unknown environment `{name}`{did_you_mean(name, gymnasium.registry)}", at="--env")
    try:
        with _making(name):
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
    with _making(name):
        return maker(**parameters)


class _Unparametrised(Exception):
    """The parameters are not those that the environment takes."""


@contextmanager
def _making(name: str) -> Iterator[None]:
    try:
        yield
    except (RewardloopError, GymnasiumError, ImportError):
        raise
    except TypeError as error:
        if _is_of_the_call(error):
            raise _Unparametrised(str(error)) from None
        raise SimulatorFailed(f"Environment `{name}` failed when it was made: {quoted(error)}") from error
    except Exception as error:
        raise SimulatorFailed(f"Environment `{name}` failed when it was made: {quoted(error)}") from error


def _is_of_the_call(error: TypeError) -> bool:
    """Whether it was the call that did not fit, not something in what was called."""
    origin = error.__context__ if isinstance(error.__context__, TypeError) else error  # Gymnasium raises another in its place.
    innermost = traceback.extract_tb(origin.__traceback__)[-1].filename
    return innermost in (__file__, inspect.getfile(gymnasium.make))


def _check(env: Env, name: str) -> None:
    """An environment whose first observation is not what it promises would train to nonsense, hours later."""
    try:
        _look(env, name)
    except BaseException:
        env.close()
        raise


def _look(env: Env, name: str) -> None:
    for said in ("observation_space", "action_space"):
        if not hasattr(env, said):
            raise InvalidInput(f"Expected environment `{name}` to say its `{said}`, it has none", at="--env")
    with _answering(name):
        answer = env.reset(seed=0)
        check_answer("reset", answer, 2)
        if has_masks(env):
            check_masks(masks_of(env), env.action_space)
    if why := why_not_in(env.observation_space, answer[0]):
        raise InvalidInput(
            f"The first observation of `{name}` is not in its observation space {env.observation_space}: {why}", at="--env"
        )


@contextmanager
def _answering(name: str) -> Iterator[None]:
    try:
        yield
    except RewardloopError:
        raise
    except Exception as error:
        raise SimulatorFailed(f"Environment `{name}` failed at its first reset: {quoted(error)}") from error


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
