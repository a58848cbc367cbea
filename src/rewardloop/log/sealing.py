"""Sealing: a segment that gets no more records is cut to its last whole commit and marked as whole. Never on the commit path.

Each step may be repeated, so a kill between two of them costs nothing: whoever comes next finishes.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from rewardloop.errors import Corrupt, CorruptSegment, DirectoryInUse, StorageUnavailable
from rewardloop.log.appender import Appender
from rewardloop.log.header import read_header
from rewardloop.log.lock import WriterLock
from rewardloop.log.segment import NEW, Listing, Segment, names
from rewardloop.log.segment_reader import SegmentReader


def finish(segment: Appender) -> bool:
    """Seals a segment of one's own and closes it; False if that cannot be done just now. One without records goes."""
    try:
        if segment.used:
            segment.seal()
        else:
            segment.path.unlink(missing_ok=True)
    except OSError:
        return False
    segment.close()
    return True


def seal_file(path: Path) -> bool:
    """`finish` for the segment of a writer that died; False as well if it is damaged: that is left for its reader to report."""
    try:
        with closing(SegmentReader(path)) as reader:
            if reader.sealed():
                return True
            tail = reader.tail()
        return finish(Appender.reopen(path, tail))
    except (OSError, Corrupt, StorageUnavailable):
        return False


def seal_abandoned(directory: Path) -> list[str]:
    """Seals what writers that died left open, and clears away their lock files. Returns the names of the segments it sealed.

    Safe at any time, from any process. A damaged segment is left for its reader to report. Raises `StorageUnavailable`.
    """
    listing = Listing.of(names(directory))
    sealed: list[str] = []
    for writer in sorted(listing.locked | _unsealed(directory, listing)):
        try:
            lock = WriterLock.acquire(directory, writer)
        except DirectoryInUse:
            continue
        todo = [path for path in _paths(directory, writer) if not is_sealed(path)]
        done = [path.name for path in todo if seal_file(path)]
        _clear_leftovers(directory, writer)
        lock.release(remove=len(done) == len(todo))
        sealed += done
    return sealed


def is_sealed(path: Path) -> bool:
    """Whether nothing is left to do. False for a file that cannot be read."""
    try:
        return read_header(path).sealed
    except (OSError, CorruptSegment):
        return False


def _unsealed(directory: Path, listing: Listing) -> set[str]:
    """Writers with a segment that is not sealed."""
    return {w for w, segments in listing.segments.items() if not all(is_sealed(directory / segment.name) for segment in segments)}


def _paths(directory: Path, writer: str) -> list[Path]:
    return [directory / segment.name for segment in Listing.of(names(directory)).segments.get(writer, [])]


def _clear_leftovers(directory: Path, writer: str) -> None:
    """Segments half made."""
    for name in names(directory):
        segment = Segment.parse(name.removesuffix(NEW)) if name.endswith(NEW) else None
        if segment and segment.writer == writer:
            (directory / name).unlink(missing_ok=True)
