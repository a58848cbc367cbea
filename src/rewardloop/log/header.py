"""The first bytes of a segment: its format, and once it is sealed how long it is and what it holds. Rewritten once, in place.

They lie in one sector, and are written by one call: a kill leaves the old ones or the new ones.
"""

from __future__ import annotations

import os
from pathlib import Path
from struct import Struct
from typing import NamedTuple
from zlib import crc32

from rewardloop.errors import CorruptSegment
from rewardloop.log.faults import corrupt

FORMAT = 1
_MAGIC = b"rwl-log\n"
_SEALED, _SALVAGED = 1, 2
_LAYOUT = Struct("<8sHHQQq")
_CHECKSUM = 4
SIZE = _LAYOUT.size + _CHECKSUM


class Header(NamedTuple):
    """All but the format is known only of a sealed segment."""

    sealed: bool = False
    salvaged: bool = False
    """Whether it was repaired, so that records may be missing."""
    size: int = 0
    """Bytes, the header's included."""
    last: int = 0
    """The number of the newest record."""
    last_at: int = 0
    """When the newest record happened, in microseconds UTC."""

    def encode(self) -> bytes:
        """
        >>> decode(Header(sealed=True, size=70, last=3, last_at=5).encode(), Path("w-000001.segment"))
        Header(sealed=True, salvaged=False, size=70, last=3, last_at=5)
        """
        flags = self.sealed * _SEALED | self.salvaged * _SALVAGED
        data = _LAYOUT.pack(_MAGIC, FORMAT, flags, self.size, self.last, self.last_at)
        return data + crc32(data).to_bytes(_CHECKSUM, "little")


def decode(data: bytes, path: Path) -> Header:
    """Raises `CorruptSegment`."""
    if len(data) != SIZE or int.from_bytes(data[-_CHECKSUM:], "little") != crc32(data[:-_CHECKSUM]):
        raise corrupt(path, "a header that is not one")
    magic, found, flags, size, last, last_at = _LAYOUT.unpack_from(data)
    if (magic, found) != (_MAGIC, FORMAT):
        raise CorruptSegment(f"Expected a log segment of format {FORMAT}, got {found} in `{path}`; upgrade rewardloop")
    return Header(bool(flags & _SEALED), bool(flags & _SALVAGED), size, last, last_at)


def read(handle: int, path: Path) -> Header:
    """The header of an open file. Raises `OSError`, `CorruptSegment`.

    It is rewritten once, perhaps in the midst of a look at it; a second look sees it as it is.
    """
    try:
        return decode(os.pread(handle, SIZE, 0), path)
    except CorruptSegment:
        return decode(os.pread(handle, SIZE, 0), path)


def read_header(path: Path) -> Header:
    """Raises `FileNotFoundError`, any other `OSError`, `CorruptSegment`."""
    handle = os.open(path, os.O_RDONLY)
    try:
        return read(handle, path)
    finally:
        os.close(handle)
