"""The writer: one process, one segment at a time. Commits on the caller's thread; makes and retires segments on another."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import Self

from rewardloop.errors import Conflict, StorageUnavailable
from rewardloop.events import Record
from rewardloop.log.appender import Appender
from rewardloop.log.codec import encode
from rewardloop.log.faults import write_error
from rewardloop.log.housekeeper import Housekeeper
from rewardloop.log.lock import WriterLock
from rewardloop.log.segment import Listing, Segment, check_writer, names
from rewardloop.settings import LogSettings


class LogWriter:
    """Appends records durably. `commit` may be called from any thread, one at a time; not across a fork (`leave_to_parent`).

    `writer` names it in the directory and must never be used again: a later writer's records could hide behind an older
    one's cursor. Raises `DirectoryInUse` if another holds the name, `StorageUnavailable` where nothing can be written.
    """

    def __init__(self, directory: Path, settings: LogSettings, writer: str) -> None:
        self._directory = directory
        self._settings = settings
        self._limit = settings.segment_mb << 20
        self._writer = check_writer(writer)
        self._lock = _enter(directory, writer)
        self._number = _last_number(directory, writer)
        self._housekeeper = Housekeeper()
        self._next: Future[Appender] | None = None
        self._segment: Appender | None = None
        self._closed = False
        self._turn = threading.Lock()

    def commit(self, records: Sequence[Record]) -> None:
        """Returns when all records are durable, as far as `settings.durability` says. By one write: all, or none.

        Raises `StorageUnavailable` when the disk is full or gone: then none is acknowledged, and the next call tries afresh.
        """
        rows = encode(records)
        if not rows:
            return
        with self._turn:
            segment = self._current()
            try:
                segment.append(rows)
            except OSError as error:
                if not segment.sound:
                    self._retire()
                raise write_error(error, segment.path) from error

    def turn(self) -> None:
        """Seals the segment that is being written, soon; the next commit begins another."""
        with self._turn:
            self._retire()

    def close(self) -> None:
        """Seals what is open. Without it (a kill) nothing is lost: `seal_abandoned` does the same later."""
        with self._turn:
            if self._closed:
                return
            self._closed = True
            self._retire()
            self._lock.release(remove=self._housekeeper.close(self._next))

    def leave_to_parent(self) -> None:
        """In a forked child: lets go of what the parent writes on, and writes nothing. The child needs a writer of its own."""
        # Without the turn: a thread of the parent may have held it at the fork, and is not here to give it back.
        self._closed = True
        if self._segment is not None:
            self._segment.close()
        self._lock.release(remove=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _current(self) -> Appender:
        """The segment to append to. The next one is made ahead while this one fills, so that turning over costs nothing."""
        if self._closed:
            raise Conflict(f"The log's writer `{self._writer}` is closed")
        segment = self._segment
        if segment is None or segment.size >= self._limit:
            self._retire()
            segment = self._segment = self._take_next()
        elif self._next is None and 2 * segment.size >= self._limit:
            self._next = self._housekeeper.prepare(self._path(), self._settings)
        return segment

    def _take_next(self) -> Appender:
        ahead, self._next = self._next, None
        segment = ahead.result() if ahead and not ahead.cancel() else Appender.make(self._path(), self._settings)
        self._number += 1
        return segment

    def _retire(self) -> None:
        if self._segment is not None:
            self._housekeeper.retire(self._segment)
            self._segment = None

    def _path(self) -> Path:
        return self._directory / Segment(self._writer, self._number + 1).name


def _enter(directory: Path, writer: str) -> WriterLock:
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageUnavailable(
            f"Cannot make the log's directory `{directory}`: {error.strerror}; choose a writable one"
        ) from error
    return WriterLock.acquire(directory, writer)


def _last_number(directory: Path, writer: str) -> int:
    segments = Listing.of(names(directory)).segments.get(writer)
    return segments[-1].number if segments else 0
