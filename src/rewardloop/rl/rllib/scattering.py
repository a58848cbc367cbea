"""Trials of a study as Ray tasks, any number of them at once, on this machine or a cluster. The study stays with the caller.

A task trains by itself in a folder of its node, and asks at each checkpoint, over one small actor, whether it goes on. What comes
back is numbers: no file is shared between nodes.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from typing import Any, Final, NamedTuple, Protocol

import msgspec
import ray
from ray.exceptions import RayError

from rewardloop.errors import InvalidInput, RewardloopError
from rewardloop.rl.rllib.cluster import running
from rewardloop.rl.toolkit import Plan
from rewardloop.rl.tuning.attempts import attempt
from rewardloop.scratch import Scratch

_POLL_S: Final = 0.1


class Outcome(msgspec.Struct, frozen=True):
    """How a trial ended."""

    number: int
    value: float | None = None
    refused: str = ""
    """Its plan cannot work."""
    failed: str = ""
    """What went wrong in training, or with its node."""


class Reached(NamedTuple):
    """A checkpoint of a trial, which waits to be told whether it goes on."""

    number: int
    n_steps: int
    value: float


class Trials(Protocol):
    """What the caller knows of the study."""

    def next(self) -> tuple[int, Plan] | None:
        """The number and plan of another trial; None where there are enough for now."""
        ...

    def goes_on(self, number: int, n_steps: int, value: float) -> bool: ...

    def ended(self, number: int, value: float | None, failed: str = "") -> None: ...


def scatter(trials: Trials, eval_episodes: int, *, address: str, at_once: int, n_cpus: int) -> None:
    """Runs trials until there is none left, `at_once` of them side by side (0: as many as the cluster has CPUs for).

    `n_cpus` is what a trial takes. `address` empty: a Ray of this process alone. A trial whose node dies is told as failed. Raises
    `InvalidInput` where no cluster answers, or a trial's plan cannot work.
    """
    with running(address, max(at_once, 1) * n_cpus):
        most = at_once or max(1, int(ray.cluster_resources().get("CPU", 1)) // n_cpus)
        board = ray.remote(num_cpus=0)(_Board).remote()
        task, here = ray.remote(num_cpus=n_cpus, max_retries=0)(_try), (os.getcwd(), *sys.path)
        under_way: dict[Any, int] = {}
        while _fill(under_way, most, trials, lambda number, plan: task.remote(board, here, number, plan, eval_episodes)):
            _answer(board, trials)
            done, _ = ray.wait(list(under_way), timeout=_POLL_S)
            for reference in done:
                _tell(trials, _outcome(reference, under_way.pop(reference)))


def _fill(under_way: dict[Any, int], most: int, trials: Trials, submit: Callable[[int, Plan], Any]) -> bool:
    """Whether anything is under way."""
    while len(under_way) < most and (wanted := trials.next()) is not None:
        under_way[submit(*wanted)] = wanted[0]
    return bool(under_way)


def _answer(board: Any, trials: Trials) -> None:
    for reached in ray.get(board.news.remote()):
        board.answer.remote(reached.number, trials.goes_on(*reached))


def _tell(trials: Trials, outcome: Outcome) -> None:
    trials.ended(outcome.number, outcome.value, outcome.failed or outcome.refused)
    if outcome.refused:
        raise InvalidInput(outcome.refused)


def _outcome(reference: Any, number: int) -> Outcome:
    try:
        found: Outcome = ray.get(reference)
    except RayError as error:
        return Outcome(number, failed=" ".join(str(error).split())[:300])
    return found


class _Board:
    """Where trials say what they reached, and wait for the answer. Ray runs its methods side by side."""

    def __init__(self) -> None:
        self._news: list[Reached] = []
        self._waiting: dict[int, asyncio.Future[bool]] = {}

    async def reach(self, reached: Reached) -> bool:
        self._waiting[reached.number] = asyncio.get_running_loop().create_future()
        self._news.append(reached)
        return await self._waiting[reached.number]

    async def news(self) -> list[Reached]:
        found, self._news = self._news, []
        return found

    async def answer(self, number: int, goes_on: bool) -> None:
        self._waiting.pop(number).set_result(goes_on)


def _try(board: Any, path: tuple[str, ...], number: int, plan: Plan, eval_episodes: int) -> Outcome:
    sys.path += [entry for entry in path if entry not in sys.path]  # Where the user's own module was found.

    def judge(n_steps: int, value: float) -> bool:
        goes_on: bool = ray.get(board.reach.remote(Reached(number, n_steps, value)))
        return goes_on

    try:
        with Scratch() as place:
            return Outcome(number, attempt(plan, eval_episodes, place, judge))
    except InvalidInput as error:
        return Outcome(number, refused=f"{error} (trial {number}: {plan.parameters})")
    except (RewardloopError, ArithmeticError) as error:
        return Outcome(number, failed=str(error))
