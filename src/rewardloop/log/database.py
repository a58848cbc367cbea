"""One segment as a SQLite database: made, opened for writing, opened for reading. What SQLite's errors mean is here."""

from __future__ import annotations

import os
import sqlite3
from contextlib import ExitStack, closing
from pathlib import Path

from rewardloop.durable import sync
from rewardloop.errors import CorruptSegment, RewardloopError, StorageUnavailable
from rewardloop.log.segment import NEW, remove, wal_size
from rewardloop.settings import LogSettings

FORMAT = 2

# A row holds the `n` records numbered up to `last`.
_MARK_FORMAT = f"INSERT OR REPLACE INTO meta VALUES ('format', {FORMAT})"
_SCHEMA = f"""
PRAGMA journal_mode = WAL;
BEGIN;
CREATE TABLE record (last INTEGER PRIMARY KEY, n INTEGER NOT NULL, payload BLOB NOT NULL);
CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
{_MARK_FORMAT};
COMMIT;
"""
_BUSY_SECONDS = 5.0
_SYNCHRONOUS = {"process": "NORMAL", "disk": "FULL"}
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR}

SEALED = "SELECT value FROM meta WHERE key = 'sealed'"


def create(path: Path) -> None:
    """Makes an empty segment unless it is there: under another name, fsynced, renamed. A reader never meets half of one."""
    if path.exists():
        return
    new = Path(f"{path}{NEW}")
    try:
        remove(new)
        with closing(connect(new)) as connection:
            connection.executescript(_SCHEMA)
        os.replace(new, path)
        sync(path.parent)
    except (sqlite3.Error, OSError) as error:
        raise write_error(error, path) from error


def connect(path: Path, query: str = "mode=rwc") -> sqlite3.Connection:
    """A connection in autocommit mode that any thread may use, one at a time."""
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?{query}", uri=True, isolation_level=None, check_same_thread=False, timeout=_BUSY_SECONDS
    )


def open_writer(path: Path, settings: LogSettings) -> sqlite3.Connection:
    """A connection that commits by appending to the WAL and never checkpoints by itself. Raises `StorageUnavailable`.

    It writes once: the first write to a WAL is followed by an fsync even where later ones are not, 10 ms that no commit should see.
    """
    try:
        with ExitStack() as stack:
            connection = stack.enter_context(closing(connect(path, "mode=rw")))
            connection.execute("PRAGMA wal_autocheckpoint = 0")
            connection.execute(f"PRAGMA synchronous = {_SYNCHRONOUS[settings.durability]}")
            connection.execute(_MARK_FORMAT)
            stack.pop_all()
    except sqlite3.Error as error:
        raise write_error(error, path) from error
    return connection


def open_reader(path: Path) -> sqlite3.Connection:
    """A connection that cannot write. Raises `FileNotFoundError`, `CorruptSegment`, `StorageUnavailable`.

    SQLite makes `-shm` and `-wal` files even to read, so a segment that is still open cannot be read in a directory that is
    read-only. A sealed one can: it is opened as the immutable file it is, which leaves no trace.
    """
    try:
        return open_sealed(path) or _checked(path, "mode=ro")
    except sqlite3.Error as error:
        if not path.exists():
            raise FileNotFoundError(path) from None
        raise read_error(error, path) from error


def open_sealed(path: Path) -> sqlite3.Connection | None:
    """A connection to a segment that never changes again, None if it may. Raises `sqlite3.Error`, `CorruptSegment`.

    An empty WAL and the mark in the file itself mean just that: the mark got there with or after all records.
    """
    if wal_size(path):
        return None
    with ExitStack() as stack:
        connection = stack.enter_context(closing(_checked(path, "mode=ro&immutable=1")))
        sealed = connection.execute(SEALED).fetchone() is not None
        if sealed:
            stack.pop_all()
    return connection if sealed else None


def _checked(path: Path, query: str) -> sqlite3.Connection:
    with ExitStack() as stack:
        connection = stack.enter_context(closing(connect(path, query)))
        found = connection.execute("SELECT value FROM meta WHERE key = 'format'").fetchone()
        if found != (FORMAT,):
            raise CorruptSegment(f"Expected a log segment of format {FORMAT}, got {found} in `{path}`; upgrade rewardloop")
        stack.pop_all()
    return connection


def is_full(error: Exception) -> bool:
    """Whether the disk was full, which SQLite survives as it stands; after anything else a segment is better left alone."""
    return _code(error) == sqlite3.SQLITE_FULL


def write_error(error: sqlite3.Error | OSError, path: Path) -> StorageUnavailable:
    """What a failed write means for the caller."""
    if is_full(error):
        return StorageUnavailable(f"No space left for the log at `{path}`; nothing was acknowledged; free some and try again")
    return StorageUnavailable(
        f"Cannot write the log at `{path}`: {error}; nothing was acknowledged;"
        " check that the directory exists, is writable, and that its disk has space and is healthy"
    )


def read_error(error: sqlite3.Error, path: Path) -> RewardloopError:
    """What a failed read means: a damaged file, or one that cannot be reached just now."""
    if _code(error) in _DAMAGED:
        return corrupt(path, str(error))
    return StorageUnavailable(f"Cannot read the log at `{path}`: {error}; check permissions, open files and the disk")


def corrupt(path: Path, found: str) -> CorruptSegment:
    return CorruptSegment(
        f"Expected a whole log segment, got {found} in `{path}`;"
        f" `rewardloop salvage {path}` puts it aside and keeps the records that can still be read"
    )


def _code(error: Exception) -> int:
    """SQLite's primary result code; -1 for an error that is not SQLite's."""
    return int(getattr(error, "sqlite_errorcode", -1)) & 0xFF if isinstance(error, sqlite3.Error) else -1
