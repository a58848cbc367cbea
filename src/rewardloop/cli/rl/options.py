"""Options that the commands of `rewardloop rl` share, and reading `name=value`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import Parameter

from rewardloop.errors import InvalidInput

EnvId = Annotated[str | None, Parameter(name=["--env"], help="A gymnasium id, module:Name of your own, or remote:PORT.")]
EnvParameters = Annotated[
    tuple[str, ...],
    Parameter(name=["--env-param"], consume_multiple=False, show_default=False, help="name=value for the environment."),
]
Parameters = Annotated[
    tuple[str, ...],
    Parameter(name=["--param", "-p"], consume_multiple=False, show_default=False, help="name=value, a hyperparameter."),
]
RunName = Annotated[str, Parameter(help="Name of a run; `rewardloop rl runs` lists them.")]
Checkpoint = Annotated[str, Parameter(name=["--checkpoint"], help="best, last, or the step of a checkpoint.")]

TestParameters = Annotated[
    tuple[str, ...],
    Parameter(
        name=["--test-param"],
        consume_multiple=False,
        show_default=False,
        help="name=value of the environment to test on, where it is another (other weather).",
    ),
]
EpisodesFile = Annotated[Path, Parameter(help="Logged episodes: a Parquet file of `rl evaluate --record` or `rl episodes`.")]
Episodes = Annotated[int, Parameter(help="How many episodes, each of a seed that no training uses.")]


def pairs(texts: Sequence[str], at: str) -> dict[str, Any]:
    """`name=value` with a value that is JSON, or else a text.

    >>> pairs(["gamma=0.9", "net_arch=[64, 64]", "activation=relu"], "--param")
    {'gamma': 0.9, 'net_arch': [64, 64], 'activation': 'relu'}
    """
    found: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise InvalidInput(f"Expected name=value, got `{text}`", at=at)
        try:
            found[name] = msgspec.json.decode(value)
        except msgspec.DecodeError:
            found[name] = value
    return found


def required_env(env: str | None) -> str:
    """What --env names; raises `InvalidInput` where it names nothing."""
    if env is None:
        raise InvalidInput("Expected an environment, such as CartPole-v1 or my_module:MyEnv", at="--env")
    return env


def positive(value: int, at: str) -> int:
    """The value; raises `InvalidInput` below 1."""
    if value < 1:
        raise InvalidInput(f"Expected at least 1, got {value}", at=at)
    return value
