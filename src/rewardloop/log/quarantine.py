"""A damaged segment is put aside and replaced by one that holds what could still be read, under the same name and numbers.

So every cursor stays right: what was read is not read again, what was not and survived is read next.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import NamedTuple

from rewardloop.durable import sync
from rewardloop.errors import InvalidInput, NotFound
from rewardloop.log.appender import Appender
from rewardloop.log.codec import decode
from rewardloop.log.faults import write_error
from rewardloop.log.frame import Frame, resume
from rewardloop.log.lock import WriterLock
from rewardloop.log.segment import Segment
from rewardloop.log.segment_reader import SegmentReader


class Salvage(NamedTuple):
    kept: int
    missing: int
    """Numbers below the newest record kept that are gone. What came after it cannot be counted."""
    aside: Path
    """Where the damaged file is now."""


def quarantine(path: Path) -> Salvage:
    """Puts the segment aside as `*.corrupt`, after saving what can be read of it into a sealed segment in its place.

    May be killed and called again. Raises `DirectoryInUse` while the segment's writer lives, `NotFound`, `StorageUnavailable`.
    """
    segment = Segment.parse(path.name)
    if segment is None:
        raise InvalidInput(f"Expected a log segment (`WRITER-000001.segment`), got `{path}`")
    if not path.exists():
        raise NotFound(f"No log segment at `{path}`")
    lock = WriterLock.acquire(path.parent, segment.writer)
    try:
        return _replace(path)
    except OSError as error:
        raise write_error(error, path) from error
    finally:
        lock.release(remove=False)


def _replace(path: Path) -> Salvage:
    salvaged = Path(f"{path}.salvaged")
    if not salvaged.exists():
        _salvage(path, salvaged)
    aside = _aside(path)
    os.replace(salvaged, path)
    sync(path.parent)
    return Salvage(*_count(path), aside)


def _salvage(path: Path, salvaged: Path) -> None:
    building = Path(f"{path}.salvaging")
    with closing(Appender.fresh(building, to_disk=False)) as target:
        for frame in _readable(path.read_bytes()):
            target.skip(frame.last - frame.n)
            target.append([(frame.n, bytes(frame.payload))])
        target.seal(salvaged=True)
    os.replace(building, salvaged)


def _readable(data: bytes) -> Iterator[Frame]:
    """Every frame that is whole, wherever it is found, and goes on from the one before it."""
    last = 0
    for frame in resume(data, 0):
        if last <= frame.last - frame.n and _whole(frame):
            last = frame.last
            yield frame


def _whole(frame: Frame) -> bool:
    try:
        return frame.n > 0 and len(decode([frame.payload])) == frame.n
    except ValueError:
        return False


def _aside(path: Path) -> Path:
    """Gives the damaged file a second name, one that no earlier quarantine took."""
    for n in count():
        aside = Path(f"{path}.corrupt{n or ''}")
        if not aside.exists():
            os.link(path, aside)
            return aside
        if aside.samefile(path):
            return aside
    raise AssertionError


def _count(path: Path) -> tuple[int, int]:
    with closing(SegmentReader(path)) as reader:
        kept, newest = reader.count(), reader.last()
    return kept, newest - kept
