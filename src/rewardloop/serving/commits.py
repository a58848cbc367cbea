"""Group commit: records that arrive together share one transaction, and none is answered before it.

`InlineCommits` for `durability: process`, where a commit costs microseconds: at the end of the loop's iteration, without a
change of thread. `ThreadedCommits` for `disk`, where it waits for the disk: one thread, and whatever arrived meanwhile is
the next transaction.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Protocol

from rewardloop.errors import Overloaded
from rewardloop.events import Record

Write = Callable[[Sequence[Record]], None]
Outcome = Exception | None
"""None where the records are in the log; otherwise none of them was acknowledged to anybody."""

MAX_PENDING = 100_000
"""Records that wait for a commit, in one worker and experiment."""


class Commits(Protocol):
    def add(self, records: Sequence[Record]) -> asyncio.Future[Outcome]:
        """Await the future before you answer, and raise what it holds. Raises `Overloaded` where too many wait already."""

    def add_last(self, records: Sequence[Record]) -> asyncio.Future[Outcome]:
        """The same at the end of a turn of the event loop, where nothing more will be added to them."""

    async def close(self) -> None:
        """Returns when everything added is in the log."""


class _Group:
    """The records of the next transaction, and the future that its requests share."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.records: list[Record] = []
        self.done: asyncio.Future[Outcome] = loop.create_future()

    def settle(self, outcome: Outcome) -> None:
        if not self.done.done():  # A client's task that was cancelled at shutdown takes the shared future with it.
            self.done.set_result(outcome)


def _attempt(write: Write, records: Sequence[Record]) -> Outcome:
    try:
        write(records)
    except Exception as error:
        return error
    return None


class InlineCommits:
    def __init__(self, write: Write) -> None:
        self._write = write
        self._loop = asyncio.get_running_loop()
        self._group: _Group | None = None

    def add(self, records: Sequence[Record]) -> asyncio.Future[Outcome]:
        group = self._group
        if group is None:
            group = self._group = _Group(self._loop)
            self._loop.call_soon(self._flush)
        group.records += records
        return group.done

    def add_last(self, records: Sequence[Record]) -> asyncio.Future[Outcome]:
        group = self._group = self._group or _Group(self._loop)
        group.records += records
        self._flush()
        return group.done

    async def close(self) -> None:
        self._flush()

    def _flush(self) -> None:
        group, self._group = self._group, None
        if group is not None:
            group.settle(_attempt(self._write, group.records))


class ThreadedCommits:
    def __init__(self, write: Write) -> None:
        self._write = write
        self._loop = asyncio.get_running_loop()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="commit")
        self._group: _Group | None = None
        self._writing = False

    def add(self, records: Sequence[Record]) -> asyncio.Future[Outcome]:
        group = self._group
        if group is None:
            group = self._group = _Group(self._loop)
        if len(group.records) + len(records) > MAX_PENDING:
            raise Overloaded(f"{len(group.records)} records wait for the disk already")
        group.records += records
        if not self._writing:
            self._loop.call_soon(self._start)
        return group.done

    def add_last(self, records: Sequence[Record]) -> asyncio.Future[Outcome]:
        return self.add(records)

    async def close(self) -> None:
        await asyncio.to_thread(self._thread.shutdown)
        group, self._group = self._group, None
        if group is not None:
            group.settle(_attempt(self._write, group.records))

    def _start(self) -> None:
        if self._writing or self._group is None:
            return
        group, self._group, self._writing = self._group, None, True
        writing = self._loop.run_in_executor(self._thread, _attempt, self._write, group.records)
        writing.add_done_callback(partial(self._finish, group))

    def _finish(self, group: _Group, writing: asyncio.Future[Outcome]) -> None:
        self._writing = False
        group.settle(writing.result())
        self._start()
