"""What is asked in one turn of the event loop is decided together, written at once, and answered each by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec
import pytest

from rewardloop.clock import ManualClock
from rewardloop.deciding.asking import DecideRequest
from rewardloop.deciding.decider import Answer, Asking, Decider
from rewardloop.deciding.hosted import first_model
from rewardloop.errors import InvalidInput, Overloaded, StorageUnavailable
from rewardloop.events import Activation, Record
from rewardloop.ids import EventIds
from rewardloop.serving.commits import MAX_PENDING, InlineCommits, ThreadedCommits
from rewardloop.serving.turns import Turns
from rewardloop.settings import ExperimentSettings

ARMS = ExperimentSettings(experiment="offers", actions=("red", "green", "blue"))
GOOD = [DecideRequest(context=msgspec.Raw(b'{"age":%d}' % i), event_id=f"order-{i}") for i in range(30)]
BAD = DecideRequest(context=msgspec.Raw(b'{"age":[true]}'))


def decide(asked: Sequence[Asking]) -> list[Answer | Exception]:
    clock = ManualClock()
    return Decider(ARMS, 3, EventIds(clock, key=7, start=0), clock).decide_each(first_model(ARMS), asked)


class Log:
    """Remembers what each write was given."""

    def __init__(self, full: bool = False) -> None:
        self.writes: list[Sequence[Record]] = []
        self._full = full

    def write(self, records: Sequence[Record]) -> None:
        if self._full:
            raise StorageUnavailable("The disk is full")
        self.writes.append(records)


async def asked(turns: Turns, request: DecideRequest) -> Answer | Exception:
    """What one who asks is told."""
    done, place = turns.join((request, None))
    answers, outcome = await done
    return answers[place] if isinstance(answers[place], Exception) or outcome is None else outcome


@pytest.mark.parametrize("kind", [InlineCommits, ThreadedCommits])
def test_one_write_for_all_and_an_error_for_those_that_are_wrong(kind: type[InlineCommits | ThreadedCommits]) -> None:
    log = Log()

    async def ask() -> list[Answer | Exception]:
        commits = kind(log.write)
        turns = Turns(decide, commits)
        found = await asyncio.gather(*(asked(turns, request) for request in (*GOOD[:10], BAD, *GOOD[10:])))
        await commits.close()
        return found

    told = asyncio.run(ask())
    assert isinstance(error := told.pop(10), InvalidInput)
    assert error.at == "$.context.age[0]"
    assert told == decide([(request, None) for request in GOOD])
    assert log.writes == [[answer[0] for answer in told if not isinstance(answer, Exception)]]


@pytest.mark.parametrize("kind", [InlineCommits, ThreadedCommits])
def test_where_the_log_takes_nothing_everybody_is_told(kind: type[InlineCommits | ThreadedCommits]) -> None:
    async def ask() -> list[Answer | Exception]:
        commits = kind(Log(full=True).write)
        turns = Turns(decide, commits)
        found = await asyncio.gather(*(asked(turns, request) for request in (*GOOD, BAD)))
        await commits.close()
        return found

    *told, wrong = asyncio.run(ask())
    assert {type(one) for one in told} == {StorageUnavailable}
    assert isinstance(wrong, InvalidInput)


def test_where_too_many_wait_for_the_disk_everybody_is_told() -> None:
    async def ask() -> Answer | Exception:
        commits = ThreadedCommits(Log().write)
        asking = asyncio.ensure_future(asked(Turns(decide, commits), GOOD[1]))
        asyncio.get_running_loop().call_soon(lambda: commits.add([Activation("order-0", "offers", 0)] * MAX_PENDING))
        found = await asking
        await commits.close()
        return found

    assert isinstance(asyncio.run(ask()), Overloaded)


def test_what_is_asked_when_the_server_stops_is_still_decided() -> None:
    log = Log()

    async def ask() -> Answer | Exception:
        commits = InlineCommits(log.write)
        turns = Turns(decide, commits)
        asking = asyncio.ensure_future(asked(turns, GOOD[0]))
        asyncio.get_running_loop().call_soon(turns.end)
        found = await asking
        turns.end()
        await commits.close()
        return found

    assert not isinstance(asyncio.run(ask()), Exception)
    assert [len(records) for records in log.writes] == [1]
