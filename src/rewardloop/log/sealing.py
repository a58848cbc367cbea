"""Sealing: the WAL of a segment that gets no more records goes into its file, which is then marked. Never on the commit path.

Each step may be repeated, so a kill between two of them costs nothing: whoever comes next finishes.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from rewardloop.errors import CorruptSegment, DirectoryInUse
from rewardloop.log.codec import decode, instant
from rewardloop.log.database import SEALED, connect, open_sealed
from rewardloop.log.lock import WriterLock
from rewardloop.log.segment import NEW, Listing, Segment, names, remove, wal_size

_MARK = "INSERT OR REPLACE INTO meta VALUES ('sealed', 1), ('last_at', ?)"
_NEWEST = "SELECT payload FROM record ORDER BY last DESC LIMIT 1"


def seal(connection: sqlite3.Connection) -> bool:
    """Marks the segment and empties its WAL; False if a reader was in the way, then try again later. Raises `sqlite3.Error`."""
    newest = connection.execute(_NEWEST).fetchone()
    last_at = instant(decode(newest)[-1]) if newest else 0
    connection.execute(_MARK, (last_at,))
    busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not busy


def seal_file(path: Path) -> bool:
    """`seal` by path; False as well if the segment cannot be sealed as it is (damaged, disk full). One without records goes."""
    try:
        with closing(connect(path, "mode=rw")) as connection:
            used = connection.execute(_NEWEST).fetchone() is not None
            done = not used or seal(connection)
    except (sqlite3.Error, ValueError):
        return False
    if not used:
        remove(path)
    return done


def seal_abandoned(directory: Path) -> list[str]:
    """Seals what writers that died left open, and clears away their lock files. Returns the names of the segments it sealed.

    Safe at any time, from any process. A damaged segment is left for its reader to report. Raises `StorageUnavailable`.
    """
    listing = Listing.of(names(directory))
    sealed: list[str] = []
    for writer in sorted(listing.locked | _with_wal(directory, listing)):
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
        connection = open_sealed(path)
    except (sqlite3.Error, CorruptSegment):
        return False
    if connection is None:
        return False
    connection.close()
    return True


def _with_wal(directory: Path, listing: Listing) -> set[str]:
    """Writers with records that are not yet in a segment's file."""
    return {w for w, segments in listing.segments.items() if any(wal_size(directory / segment.name) for segment in segments)}


def _paths(directory: Path, writer: str) -> list[Path]:
    return [directory / segment.name for segment in Listing.of(names(directory)).segments.get(writer, [])]


def _clear_leftovers(directory: Path, writer: str) -> None:
    """A segment half made; and companions of sealed ones, which SQLite itself removes when the last to open one closes it."""
    for path in _paths(directory, writer):
        if os.path.exists(f"{path}-shm"):
            with suppress(sqlite3.Error), closing(connect(path, "mode=rw")) as connection:
                connection.execute(SEALED).fetchone()
    for name in names(directory):
        segment = Segment.parse(name.removesuffix(NEW)) if name.endswith(NEW) else None
        if segment and segment.writer == writer:
            remove(directory / name)
