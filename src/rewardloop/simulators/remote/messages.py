"""What a trainer and a simulator say to each other: JSON objects with a `type`. docs/remote-environments.md explains each."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from rewardloop.simulators.remote.websocket import Lost

PROTOCOL: Final = 1
_Name = Annotated[str, Meta(max_length=200)]
_Words = Annotated[str, Meta(max_length=4000)]


class Hello(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="hello"):
    """A simulator's first message."""

    protocol: int
    name: _Name
    version: _Name = ""
    token: Annotated[str, Meta(max_length=1000)] = ""
    observation_space: dict[str, Any]
    action_space: dict[str, Any]
    masks: bool = False


class State(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="state"):
    """A simulator's answer to a reset or a step."""

    id: int
    observation: Any
    reward: float = 0.0
    terminated: bool = False
    truncated: bool = False
    masks: list[bool] | None = None
    metrics: dict[_Name, float] = {}


class Working(msgspec.Struct, frozen=True, tag_field="type", tag="working"):
    """A simulator's sign of life: the answer takes longer."""


class Failed(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="error"):
    """A simulator cannot go on, and says why."""

    message: _Words


class Welcome(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="welcome"):
    """The trainer takes the simulator."""

    protocol: int = PROTOCOL


class Refused(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="refused"):
    """The trainer does not take it. Connecting again would not help."""

    code: _Name
    message: _Words


class Reset(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="reset"):
    """The trainer wants a new episode."""

    id: int
    seed: int | None
    options: dict[str, Any] | None = None


class Step(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="step"):
    """The trainer acts."""

    id: int
    action: Any


class Close(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="close"):
    """The trainer has no more use for the simulator; another may."""

    reason: _Words = ""


FromSimulator = Hello | State | Working | Failed
FromTrainer = Welcome | Refused | Reset | Step | Close
_READ_SIMULATOR: Final[msgspec.json.Decoder[FromSimulator]] = msgspec.json.Decoder(FromSimulator)
_READ_TRAINER: Final[msgspec.json.Decoder[FromTrainer]] = msgspec.json.Decoder(FromTrainer)
written: Final = msgspec.json.Encoder().encode


def from_simulator(text: bytes) -> FromSimulator:
    """Raises `Lost` for what is no message."""
    try:
        return _READ_SIMULATOR.decode(text)
    except (msgspec.MsgspecError, RecursionError, ValueError) as error:
        raise Lost(f"expected a message of a simulator: {error}, got {text[:100]!r}") from None


def from_trainer(text: bytes) -> FromTrainer:
    """Raises `Lost` for what is no message."""
    try:
        return _READ_TRAINER.decode(text)
    except (msgspec.MsgspecError, RecursionError, ValueError) as error:
        raise Lost(f"expected a message of a trainer: {error}, got {text[:100]!r}") from None
