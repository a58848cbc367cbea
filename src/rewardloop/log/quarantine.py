"""A damaged segment is put aside and replaced by one that holds what could still be read, under the same name and numbers.

So every cursor stays right: what was read is not read again, what was not and survived is read next.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import NamedTuple

from rewardloop.durable import sync
from rewardloop.errors import InvalidInput, NotFound
from rewardloop.log.codec import decode
from rewardloop.log.database import connect, create, write_error
from rewardloop.log.lock import WriterLock
from rewardloop.log.sealing import seal
from rewardloop.log.segment import Segment, remove

MAX_HOLE = 100_000
"""So many numbers in a row that cannot be read are taken for the end."""

_Row = tuple[int, int, bytes]
_FROM = "SELECT last, n, payload FROM record WHERE last > ? ORDER BY last"
_ONE = "SELECT last, n, payload FROM record WHERE last = ?"


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
        raise InvalidInput(f"Expected a log segment (`WRITER-000001.db`), got `{path}`")
    if not path.exists():
        raise NotFound(f"No log segment at `{path}`")
    lock = WriterLock.acquire(path.parent, segment.writer)
    try:
        return _replace(path)
    except (sqlite3.Error, OSError) as error:
        raise write_error(error, path) from error
    finally:
        lock.release(remove=False)


def _replace(path: Path) -> Salvage:
    """The WAL leaves before the new file comes: beside it, SQLite would play the old records into it."""
    salvaged = Path(f"{path}.salvaged")
    if not salvaged.exists():
        _salvage(path, salvaged)
    aside = _aside(path)
    if os.path.exists(f"{path}-wal"):
        os.replace(f"{path}-wal", f"{aside}-wal")
    Path(f"{path}-shm").unlink(missing_ok=True)
    os.replace(salvaged, path)
    sync(path.parent)
    return Salvage(*_count(path), aside)


def _salvage(path: Path, salvaged: Path) -> None:
    building = Path(f"{path}.salvaging")
    remove(building)
    create(building)
    with closing(connect(path, "mode=ro")) as source, closing(connect(building, "mode=rw")) as target:
        source.execute("PRAGMA writable_schema = ON")  # without it SQLite reads nothing of a file shorter than it should be
        target.execute("BEGIN")
        target.executemany("INSERT INTO record VALUES (?, ?, ?)", (row for row in _readable(source) if _whole(row)))
        target.execute("INSERT INTO meta VALUES ('salvaged', 1)")
        target.execute("COMMIT")
        seal(target)
    os.replace(building, salvaged)


def _readable(source: sqlite3.Connection) -> Iterator[_Row]:
    """Every row SQLite can still reach: in order while it goes, by number across a hole."""
    last = 0
    while True:
        try:
            for row in source.execute(_FROM, (last,)):
                last = row[0]
                yield row
            return
        except sqlite3.Error:
            found = _beyond(source, last)
        if found is None:
            return
        last = found[0]
        yield found


def _beyond(source: sqlite3.Connection, last: int) -> _Row | None:
    return next((row for number in range(last + 1, last + MAX_HOLE) if (row := _one(source, number))), None)


def _one(source: sqlite3.Connection, last: int) -> _Row | None:
    try:
        row: _Row | None = source.execute(_ONE, (last,)).fetchone()
    except sqlite3.Error:
        return None
    return row


def _whole(row: _Row) -> bool:
    try:
        return len(decode([row[2]])) == row[1]
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
    with closing(connect(path, "mode=ro&immutable=1")) as connection:
        kept, newest = connection.execute("SELECT coalesce(sum(n), 0), coalesce(max(last), 0) FROM record").fetchone()
    return kept, newest - kept
