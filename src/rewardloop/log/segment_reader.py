"""Reading one segment by the numbers of its records. Where they are in the file is found once, and remembered."""

from __future__ import annotations

from bisect import bisect_right
from pathlib import Path
from typing import NamedTuple

from rewardloop.events import Record
from rewardloop.log.appender import Tail
from rewardloop.log.codec import decode
from rewardloop.log.faults import corrupt
from rewardloop.log.frame import Frame
from rewardloop.log.segment_file import CHUNK, START, Place, SegmentFile

MAX_BYTES = 32 << 20
"""A read stops when it holds this much, whatever its limit."""


class Rows(NamedTuple):
    records: list[Record]
    last: int
    """The number of the last of them; where it was asked to start, if there is none."""
    more: bool
    """Whether it stopped because it had enough."""


class SegmentReader:
    """Holds the file until `close`. Opening raises `FileNotFoundError`, `CorruptSegment` or `StorageUnavailable`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = SegmentFile(path)
        self._places = [START]
        self._recent = self._furthest = START

    def after(self, seq: int, limit: int) -> Rows:
        """At most `limit` records numbered above `seq`, in order."""
        rows, more = self._fetch(seq, limit)
        if not rows:
            return Rows([], seq, False)
        records = self._decode(rows)
        last, kept = rows[-1].last, max(0, seq - (rows[0].last - rows[0].n))
        over = max(0, len(records) - kept - limit)
        return Rows(records[kept : len(records) - over], last - over, more)

    def last(self) -> int:
        """The number of the newest record, 0 if there is none."""
        found = self._file.header()
        return found.last if found.sealed else self.tail(self._furthest).last

    def tail(self, start: Place = START) -> Tail:
        """How it ends; what may follow was not acknowledged. `newest` is empty where nothing comes after `start`."""
        newest = memoryview(b"")
        for commit in self._file.commits(start):
            self._note(commit.end)
            newest = commit.frames[-1].payload
        return Tail(self._furthest.offset, self._furthest.last, bytes(newest))

    def sealed(self) -> bool:
        return self._file.header().sealed

    def count(self) -> int:
        """How many records there are: in a salvaged segment fewer than there are numbers."""
        return sum(frame.n for commit in self._file.commits(START) for frame in commit.frames)

    def containing(self, text: bytes) -> list[Record]:
        """Records, of which some have `text` among their bytes: all that stand in one frame with such a one."""
        if not self._file.mentions(text):
            return []
        rows = [frame for commit in self._file.commits(START) for frame in commit.frames if text in bytes(frame.payload)]
        return self._decode(rows)

    def close(self) -> None:
        self._file.close()

    def _fetch(self, seq: int, limit: int) -> tuple[list[Frame], bool]:
        """Frames that hold `limit` records above `seq`, or enough bytes; whether it stopped for that."""
        rows: list[Frame] = []
        count = size = 0
        for commit in self._file.commits(self._before(seq)):
            for frame in commit.frames:
                if frame.last > seq:
                    rows.append(frame)
                    count += min(frame.n, frame.last - seq)
                    size += len(frame.payload)
                    if size >= MAX_BYTES or count >= limit:
                        return rows, True
            self._recent = commit.end
            self._note(commit.end)
        return rows, False

    def _before(self, seq: int) -> Place:
        """The nearest known place that `seq` is not before."""
        near = self._places[bisect_right(self._places, seq, key=lambda place: place.last) - 1]
        return self._recent if near.last <= self._recent.last <= seq else near

    def _note(self, place: Place) -> None:
        if place.offset > self._furthest.offset:
            self._furthest = place
            if place.offset - self._places[-1].offset >= CHUNK:
                self._places.append(place)

    def _decode(self, rows: list[Frame]) -> list[Record]:
        try:
            records = decode([row.payload for row in rows])
        except ValueError as error:
            raise corrupt(self._path, f"a record that does not decode ({error})") from error
        if len(records) != sum(row.n for row in rows):
            raise corrupt(self._path, f"{len(records)} records where {sum(row.n for row in rows)} were due")
        return records
