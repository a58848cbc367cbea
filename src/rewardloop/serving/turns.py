"""Decisions that are asked for in one turn of the event loop: made together, logged by one write, answered after it. No HTTP.

Under load dozens of requests lie ready in each turn. Decided as a batch they share what a batch shares, and each is answered as
if it had come alone: with the same bits, or with its own error.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from rewardloop.deciding.decider import Answer, Asking
from rewardloop.errors import Overloaded
from rewardloop.serving.commits import Commits, Outcome

Decide = Callable[[Sequence[Asking]], Sequence[Answer | Exception]]


class Told(NamedTuple):
    """What became of all that was asked in one turn."""

    answers: Sequence[Answer | Exception]
    """In the order asked."""
    outcome: Outcome
    """Of writing the decisions to the log."""


class _Turn:
    """What is asked, and the future that all who ask share."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.asked: list[Asking] = []
        self.done: asyncio.Future[Told] = loop.create_future()


class Turns:
    """One experiment's, in one worker."""

    def __init__(self, decide: Decide, commits: Commits) -> None:
        self._decide = decide
        self._commits = commits
        self._loop = asyncio.get_running_loop()
        self._turn: _Turn | None = None

    def join(self, asking: Asking) -> tuple[asyncio.Future[Told], int]:
        """Await the future, take your place in its answers, and raise `outcome` before you answer anybody."""
        turn = self._turn
        if turn is None:
            turn = self._turn = _Turn(self._loop)
            self._loop.call_soon(self.end)
        turn.asked.append(asking)
        return turn.done, len(turn.asked) - 1

    def end(self) -> None:
        """Decides on what was asked so far."""
        turn, self._turn = self._turn, None
        if turn is None:
            return
        answers = self._decide(turn.asked)
        try:
            committed = self._commits.add_last([answer[0] for answer in answers if not isinstance(answer, Exception)])
        except Overloaded as error:
            _settle(turn, Told([answer if isinstance(answer, Exception) else error for answer in answers], None))
            return
        if committed.done():
            _settle(turn, Told(answers, committed.result()))
        else:
            committed.add_done_callback(partial(_committed, turn, answers))


def _committed(turn: _Turn, answers: Sequence[Answer | Exception], committed: asyncio.Future[Outcome]) -> None:
    _settle(turn, Told(answers, committed.result()))


def _settle(turn: _Turn, told: Told) -> None:
    if not turn.done.done():  # A client's task that was cancelled at shutdown takes the shared future with it.
        turn.done.set_result(told)
