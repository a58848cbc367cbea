"""The segments a reader has open, a bounded number, and what it remembers of those it need not open again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from rewardloop.errors import RewardloopError
from rewardloop.log.segment import Listing, names
from rewardloop.log.segment_reader import Rows, SegmentReader

MAX_OPEN = 64
T = TypeVar("T")


class OpenSegments:
    """Answers by segment name. A segment that has vanished (pruned meanwhile) answers as an empty one."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._names: list[str] = []
        self._listing = Listing.of([])
        self._open: dict[str, SegmentReader] = {}
        self._ends: dict[str, int] = {}

    def listing(self) -> Listing:
        """What the directory holds now; anything opened that is gone from it is closed."""
        found = names(self._directory)
        if found != self._names:
            self._names, self._listing = found, Listing.of(found)
            present = set(found)
            for name in self._open.keys() - present:
                self.close(name)
            self._ends = {name: end for name, end in self._ends.items() if name in present}
        return self._listing

    def after(self, name: str, seq: int, limit: int) -> Rows:
        if self.ended(name, seq):
            return Rows([], seq, False)
        return self._ask(name, lambda segment: segment.after(seq, limit), Rows([], seq, False))

    def ended(self, name: str, seq: int) -> bool:
        """Whether it is known, without a look at the file, that nothing comes after `seq`."""
        end = self._ends.get(name)
        return end is not None and end <= seq

    def last(self, name: str) -> int:
        """The number of the segment's newest record. Of a sealed one it is remembered, and the file closed."""
        end = self._ends.get(name)
        if end is not None:
            return end
        sealed = self._ask(name, SegmentReader.sealed, False)  # asked first: a record may come between the two questions
        end = self._ask(name, SegmentReader.last, 0)
        if sealed:
            self._ends[name] = end
            self.close(name)
        return end

    def close(self, name: str) -> None:
        segment = self._open.pop(name, None)
        if segment is not None:
            segment.close()

    def close_all(self) -> None:
        for name in list(self._open):
            self.close(name)

    def _ask(self, name: str, question: Callable[[SegmentReader], T], nothing: T) -> T:
        try:
            return question(self._reader(name))
        except FileNotFoundError:
            return nothing
        except RewardloopError:
            self.close(name)
            raise

    def _reader(self, name: str) -> SegmentReader:
        segment = self._open.get(name)
        if segment is None:
            if len(self._open) >= MAX_OPEN:
                self.close(next(iter(self._open)))
            segment = self._open[name] = SegmentReader(self._directory / name)
        return segment
