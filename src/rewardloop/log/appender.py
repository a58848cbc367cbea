"""The segment a writer is appending to: one write a commit, at the place where the last one ended."""

from __future__ import annotations

import os
from collections.abc import Sequence
from io import FileIO
from pathlib import Path
from typing import NamedTuple

from rewardloop.durable import sync
from rewardloop.log import header
from rewardloop.log.codec import Row, decode, instant
from rewardloop.log.faults import is_full, write_error
from rewardloop.log.frame import pack
from rewardloop.log.header import Header
from rewardloop.log.segment import NEW
from rewardloop.settings import LogSettings


class Tail(NamedTuple):
    """How a segment ends."""

    size: int
    """Bytes up to the end of the last whole commit."""
    last: int
    newest: bytes
    """The payload that the newest record is in."""


class Appender:
    """Numbers the records from 1. `size` is where the next commit goes; whatever may lie beyond it was never acknowledged."""

    def __init__(self, path: Path, file: FileIO, *, to_disk: bool = False) -> None:
        self.path = path
        self.size = header.SIZE
        self.sound = True
        """Whether it may be appended to; after an error that is not a lack of space it should be left alone."""
        self._file = file
        self._handle = file.fileno()
        self._to_disk = to_disk
        self._last = 0
        self._newest = b""

    @classmethod
    def make(cls, path: Path, settings: LogSettings) -> Appender:
        """A new segment, under another name until it is whole: a reader never meets half of one. Raises `StorageUnavailable`."""
        new = Path(f"{path}{NEW}")
        try:
            appender = cls.fresh(new, to_disk=settings.durability == "disk")
            try:
                os.replace(new, path)
                sync(path.parent)
            except OSError:
                appender.close()
                raise
        except OSError as error:
            raise write_error(error, path) from error
        appender.path = path
        return appender

    @classmethod
    def fresh(cls, path: Path, *, to_disk: bool) -> Appender:
        """A new file in the place of any other. Raises `OSError`."""
        file = path.open("wb", buffering=0)
        try:
            file.write(Header().encode())
            os.fsync(file.fileno())
        except OSError:
            file.close()
            raise
        return cls(path, file, to_disk=to_disk)

    @classmethod
    def reopen(cls, path: Path, end: Tail) -> Appender:
        """A segment whose writer died, to be sealed. Raises `OSError`."""
        appender = cls(path, path.open("r+b", buffering=0))
        appender.size, appender._last, appender._newest = end
        return appender

    def append(self, rows: Sequence[Row]) -> None:
        """All rows or none. Raises `OSError`; then look at `sound`."""
        data = pack(rows, self._last)
        try:
            self._write(data)
        except OSError as error:
            self.sound = self._cut_back() and is_full(error)
            raise
        if self._to_disk:
            self._sync()
        self.size += len(data)
        for n, _ in rows:
            self._last += n
        self._newest = rows[-1][1]

    def seal(self, *, salvaged: bool = False) -> None:
        """Marks the segment as whole, once everything is on the disk. May be repeated. Raises `OSError`."""
        last_at = instant(decode([self._newest])[-1]) if self._newest else 0
        os.ftruncate(self._handle, self.size)
        os.fsync(self._handle)
        os.pwrite(self._handle, Header(True, salvaged, self.size, self._last, last_at).encode(), 0)
        os.fsync(self._handle)

    def skip(self, number: int) -> None:
        """The next record is numbered after this one: those in between are lost."""
        self._last = number

    @property
    def used(self) -> bool:
        return self._last > 0

    def close(self) -> None:
        self._file.close()

    def _write(self, data: bytes) -> None:
        written = os.pwrite(self._handle, data, self.size)
        while written < len(data):  # a disk that fills up takes a part first and refuses the rest
            written += os.pwrite(self._handle, data[written:], self.size + written)

    def _sync(self) -> None:
        try:
            os.fdatasync(self._handle)
        except OSError:
            # A reader may have seen these numbers, so no other record may ever have them.
            self.sound = False
            self._cut_back()
            raise

    def _cut_back(self) -> bool:
        """Takes away what a failed write left."""
        try:
            os.ftruncate(self._handle, self.size)
        except OSError:
            return False
        return True
