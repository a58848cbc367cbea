"""The reader: all writers of a directory, each in its own order, from a cursor on. It keeps no place of its own."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

from rewardloop.events import Record
from rewardloop.log.contract import Cursor
from rewardloop.log.open_segments import OpenSegments
from rewardloop.log.place import Place, places

START = Cursor()


class LogReader:
    """Cheap to ask every few milliseconds. One thread at a time. A directory that does not exist yet is an empty log.

    Everything raises `CorruptSegment`, which names the file, until that file is quarantined, and `StorageUnavailable` when a
    file cannot be got at just now.
    """

    def __init__(self, directory: Path) -> None:
        self._segments = OpenSegments(directory)

    def read(self, cursor: Cursor = START, limit: int = 10_000) -> tuple[list[Record], Cursor]:
        """At most `limit` records after `cursor`, and the cursor after them; none only when all has been read.

        Writers share the limit fairly. Positions in segments that are gone are dropped.
        """
        found = self._places(cursor)
        records: list[Record] = []
        hungry = found
        while hungry and len(records) < limit:
            share = -(-(limit - len(records)) // len(hungry))
            hungry = [place for place in hungry if self._take(place, min(share, limit - len(records)), records)]
        return records, Cursor({place.name: place.seq for place in found})

    def end(self) -> Cursor:
        """The cursor after everything committed so far."""
        return Cursor(dict(self._newest(place) for place in self._places(START)))

    def lag(self, cursor: Cursor) -> int:
        """How many records `read` has yet to give after `cursor`; at most so many, where a salvaged segment has lost some."""
        return sum(self._unread(place) for place in self._places(cursor))

    def close(self) -> None:
        self._segments.close_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _places(self, cursor: Cursor) -> list[Place]:
        return places(self._segments.listing(), cursor)

    def _unread(self, place: Place) -> int:
        first, *later = [self._segments.last(segment.name) for segment in place.segments]
        return max(0, first - place.seq) + sum(later)

    def _take(self, place: Place, room: int, records: list[Record]) -> bool:
        """Reads on in one writer's segments; whether there may be more.

        A segment gets no more records once a later one has some, so that is looked at first.
        """
        while room > 0:
            turned = self._turned(place)
            rows = self._segments.after(place.name, place.seq, room)
            records += rows.records
            room -= len(rows.records)
            place.seq = rows.last
            if rows.more:
                return True
            if not turned:
                self._rest(place)
                return False
            self._segments.close(place.name)
            place.turn()
        return True

    def _turned(self, place: Place) -> bool:
        return any(self._segments.last(segment.name) for segment in place.segments[1:])

    def _rest(self, place: Place) -> None:
        """All has been read. Of a writer that is gone that is remembered, and costs nothing the next time."""
        if not place.alive:
            self._segments.last(place.name)

    def _newest(self, place: Place) -> tuple[str, int]:
        """The segment being written and its newest record; one made ahead has none yet."""
        newest_first = ((segment.name, self._segments.last(segment.name)) for segment in reversed(place.segments))
        return next((pair for pair in newest_first if pair[1]), (place.name, 0))
