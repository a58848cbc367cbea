"""`rewardloop rl simulate`: an environment of this machine for a trainer elsewhere."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import Annotated

from cyclopts import Parameter

from rewardloop.cli.rl.options import EnvId, EnvParameters, pairs
from rewardloop.cli.telling.printing import console
from rewardloop.clock import SystemClock
from rewardloop.errors import InvalidInput
from rewardloop.rl.environments import EnvSpec, make_env
from rewardloop.simulators.remote.client import serve
from rewardloop.simulators.remote.listening import address_of, read_token


def simulate(
    *,
    env: EnvId = None,
    to: Annotated[str, Parameter(help="PORT or HOST:PORT of the trainer.")],
    env_param: EnvParameters = (),
    token_file: Annotated[str, Parameter(show_default=False, help="A file with the trainer's token.")] = "",
    version: Annotated[str, Parameter(show_default=False, help="Of the simulator, for the trainer's messages.")] = "",
    give_up_after: Annotated[float, Parameter(help="Seconds without a trainer.")] = 3600.0,
) -> None:
    sys.path.insert(0, os.getcwd())
    if env is None:
        raise InvalidInput("Expected an environment to serve, such as CartPole-v1 or my_module:MyEnv", at="--env")
    address, token = address_of(to), read_token(token_file) if token_file else ""
    made = make_env(EnvSpec(env, pairs(env_param, "--env-param")))
    try:
        serve(
            made,
            address,
            SystemClock(),
            time.sleep,
            name=env,
            version=version,
            token=token,
            give_up_after_s=give_up_after,
            say=_once_each(),
        )
    finally:
        made.close()


def _once_each() -> Callable[[str], None]:
    """Prints what is new: whoever waits for a trainer hears so once, and not every second."""
    last = ""

    def say(line: str) -> None:
        nonlocal last
        if line != last:
            console.print(line, markup=False)
        last = line

    return say
