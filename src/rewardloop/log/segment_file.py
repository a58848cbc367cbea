"""One segment's bytes, being written or sealed: whole commits in order, every frame checked, numbers without a gap."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from rewardloop.log import header
from rewardloop.log.faults import corrupt, read_error
from rewardloop.log.frame import Frame, claimed_size, frames, resume
from rewardloop.log.header import Header

CHUNK = 1 << 20
"""Bytes read at once."""


class Commit(NamedTuple):
    """What was written at once, and where it ends."""

    frames: list[Frame]
    end: Place


class Place(NamedTuple):
    """Where a commit ends, and the number of its last record."""

    last: int
    offset: int


START = Place(0, header.SIZE)


class SegmentFile:
    """Holds the file until `close`. Opening raises `FileNotFoundError`, `CorruptSegment` or `StorageUnavailable`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file = path.open("rb", buffering=0)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise read_error(error, path) from error
        try:
            self.header()
        except BaseException:
            self.close()
            raise

    def header(self) -> Header:
        """As it is now: a segment that is being written is sealed one day."""
        try:
            return header.read(self._file.fileno(), self.path)
        except OSError as error:
            raise read_error(error, self.path) from error

    def commits(self, start: Place) -> Iterator[Commit]:
        """From a place on, up to an end that is still being written, or was when the writer died. Raises `CorruptSegment`."""
        found = self.header()
        size = self._size(found)
        last, offset = start
        pending: list[Frame] = []
        while offset < size:
            end = 0
            for frame in frames(self._chunk(offset, size)):
                first = frame.last - frame.n + 1
                if first <= last or (first > last + 1 and not found.salvaged):
                    raise corrupt(self.path, f"record {first} where {last + 1} was due")
                last, end = frame.last, frame.end
                pending.append(frame)
                if not frame.more:
                    yield Commit(pending, Place(last, offset + end))
                    pending = []
            if not end:
                self._check_end(offset, found)
                return
            offset += end
        if pending and found.sealed:
            raise corrupt(self.path, f"half a commit at {offset}")

    def mentions(self, text: bytes) -> bool:
        """Whether the bytes are anywhere in the file: ten times as fast as a look at every frame."""
        size = self._size(self.header())
        return any(text in self._bytes(offset, CHUNK + len(text)) for offset in range(0, size, CHUNK))

    def close(self) -> None:
        self._file.close()

    def _size(self, found: Header) -> int:
        size = os.fstat(self._file.fileno()).st_size
        if found.sealed and size != found.size:
            raise corrupt(self.path, f"{size} bytes where {found.size} were due")
        return size

    def _chunk(self, offset: int, size: int) -> bytes:
        """The bytes from an offset on: one whole frame at least, if one is there."""
        chunk = self._bytes(offset, min(CHUNK, size - offset))
        claimed = claimed_size(chunk)
        return chunk if claimed <= len(chunk) or claimed > size - offset else self._bytes(offset, claimed)

    def _check_end(self, offset: int, found: Header) -> None:
        """An end that makes no sense is one that was cut off, unless the segment is sealed or whole frames follow.

        A writer whose disk is full cuts back what it could not finish and goes on, perhaps in the midst of a look at it; it
        does so once, and a second look sees it as it is.
        """
        for _ in range(2):
            rest = self._bytes(offset, os.fstat(self._file.fileno()).st_size - offset)
            if not found.sealed and (next(frames(rest), None) or not next(resume(rest, 1), None)):
                return
        raise corrupt(self.path, f"bytes that are no record at {offset}")

    def _bytes(self, offset: int, n: int) -> bytes:
        try:
            return os.pread(self._file.fileno(), max(0, n), offset)
        except OSError as error:
            raise read_error(error, self.path) from error
