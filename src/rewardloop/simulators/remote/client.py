"""Any gymnasium environment as a simulator for a trainer elsewhere: the simulator's end."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, Final

import gymnasium
import numpy as np

from rewardloop.clock import SECOND, Clock
from rewardloop.errors import Conflict, InvalidInput
from rewardloop.simulators.remote.listening import Address
from rewardloop.simulators.remote.messages import (
    PROTOCOL,
    Close,
    Failed,
    FromTrainer,
    Hello,
    Refused,
    Reset,
    State,
    Step,
    Welcome,
    from_trainer,
    written,
)
from rewardloop.simulators.remote.spaces import described, heard, said
from rewardloop.simulators.remote.websocket import Lost, Peer, greet

_GREETING_S: Final = 10.0
_SILENCE_S: Final = 3600.0
Env = gymnasium.Env[Any, Any]


def serve(
    env: Env,
    address: Address,
    clock: Clock,
    wait: Callable[[float], None],
    *,
    name: str,
    version: str = "",
    token: str = "",
    give_up_after_s: float = math.inf,
    say: Callable[[str], None] = lambda _: None,
) -> None:
    """Connects to a trainer, answers it, and connects again, until no trainer has taken it for `give_up_after_s`.

    `wait` sleeps; `say` hears what happens. Raises `Conflict` where the trainer refuses it, with the trainer's reason, and whatever
    the environment raises, after telling the trainer.
    """
    hello = written(_hello(env, name, version, token))
    pauses, since = _pauses(), clock.now()
    while clock.now() - since < give_up_after_s * SECOND:
        try:
            peer = _introduced(address, clock, hello)
        except Lost as lost:
            say(str(lost))
            wait(next(pauses))
            continue
        say(f"connected to {address.host}:{address.port}")
        try:
            say(f"let go: {_played(env, peer)}")
        except Lost as lost:
            say(str(lost))
        finally:
            peer.close()
        pauses, since = _pauses(), clock.now()
        wait(next(pauses))


def _introduced(address: Address, clock: Clock, hello: bytes) -> Peer:
    """A connection to a trainer that takes the simulator."""
    peer = greet(address.host, address.port, clock, _GREETING_S)
    try:
        peer.send(hello, _GREETING_S)
        answer = from_trainer(peer.receive(_GREETING_S))
        if isinstance(answer, Refused):
            raise Conflict(f"The trainer at {address.host}:{address.port} refuses this simulator: {answer.message}")
        if not isinstance(answer, Welcome):
            raise Lost(f"expected `welcome`, got `{type(answer).__name__.lower()}`")
    except BaseException:
        peer.close()
        raise
    return peer


def _played(env: Env, peer: Peer) -> str:
    """Answers until the trainer closes; its reason."""
    while not isinstance(asked := from_trainer(peer.receive(_SILENCE_S)), Close):
        peer.send(written(_answered(env, peer, asked)), _GREETING_S)
    return asked.reason


def _answered(env: Env, peer: Peer, asked: FromTrainer) -> State:
    try:
        if isinstance(asked, Reset):
            observation, info = env.reset(seed=asked.seed, options=asked.options)
            return _state(env, asked.id, observation, (0.0, False, False), info)
        if isinstance(asked, Step):
            observation, reward, terminated, truncated, info = env.step(heard(env.action_space, asked.action, "$.action"))
            return _state(env, asked.id, observation, (float(reward), bool(terminated), bool(truncated)), info)
    except Exception as error:
        peer.send(written(Failed(message=f"{type(error).__name__}: {error}"[:4000])), _GREETING_S)
        raise
    raise Lost(f"expected `reset`, `step` or `close`, got `{type(asked).__name__.lower()}`")


def _state(env: Env, id: int, observation: Any, outcome: tuple[float, bool, bool], info: dict[str, Any]) -> State:
    reward, terminated, truncated = outcome
    metrics = {str(key): float(value) for key, value in info.get("metrics", {}).items()}
    return State(
        id=id,
        observation=said(env.observation_space, observation),
        reward=reward,
        terminated=terminated,
        truncated=truncated,
        masks=_masks(env),
        metrics=metrics,
    )


def _masks(env: Env) -> list[bool] | None:
    try:
        masks: list[bool] = np.asarray(env.get_wrapper_attr("action_masks")(), dtype=bool).ravel().tolist()
    except AttributeError:
        return None
    return masks


def _hello(env: Env, name: str, version: str, token: str) -> Hello:
    if len(name) > 200 or len(version) > 200:
        raise InvalidInput("Expected a name and a version of at most 200 characters", at="$.name")
    return Hello(
        protocol=PROTOCOL,
        name=name,
        version=version,
        token=token,
        observation_space=described(env.observation_space),
        action_space=described(env.action_space),
        masks=_offers_masks(env),
    )


def _offers_masks(env: Env) -> bool:
    try:
        return callable(env.get_wrapper_attr("action_masks"))
    except AttributeError:
        return False


def _pauses() -> Iterator[float]:
    """Seconds before each attempt: soon after a success, then less and less often."""
    pause = 0.05
    while True:
        yield pause
        pause = min(2.0, 1.5 * pause)
