"""Connections and transactions of the catalog, and the sentence when the database refuses. Knows no experiment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from sqlite3 import Connection as SQLiteConnection
from sqlite3 import Error as SQLiteError
from sqlite3 import connect
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from rewardloop.errors import Corrupt, RewardloopError, StorageUnavailable

BUSY_SECONDS = 30
_FULL = ("SQLITE_FULL", "SQLITE_IOERR_SHM", "SQLITE_IOERR_WRITE")
_DAMAGED = ("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_FORMAT", "SQLITE_ERROR")


class Database:
    """One database; `reading` and `writing` are transactions. Safe to share between threads, and across fork."""

    def __init__(self, engine: Engine, place: str, when_full: Engine | None = None) -> None:
        self._engine = engine
        self._when_full = when_full
        """Reads where the disk has no room for what `engine` needs even to read."""
        self._place = place
        """Names the database in errors."""

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Sees one state of the database from begin to end."""
        with self._said(), self._connected() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Committed to disk when the block ends; undone when it raises."""
        with self._said(), self._engine.connect().execution_options(writes=True) as connection, connection.begin():
            yield connection

    def close(self) -> None:
        self._engine.dispose()

    def _connected(self) -> Connection:
        try:
            return self._engine.connect()
        except (DBAPIError, SQLiteError) as error:
            cause = error.orig if isinstance(error, DBAPIError) else error
            if self._when_full is None or not _named(cause, _FULL):
                raise
            return self._when_full.connect()

    @contextmanager
    def _said(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            raise self._explain(error) from error
        except SQLiteError as error:
            raise self._explain_sqlite(error) from error

    def _explain(self, error: DBAPIError) -> RewardloopError:
        if isinstance(error.orig, SQLiteError):
            return self._explain_sqlite(error.orig)
        return StorageUnavailable(f"The catalog {self._place} did not answer: {error.orig}; nothing was changed")

    def _explain_sqlite(self, error: SQLiteError) -> RewardloopError:
        if _named(error, _FULL):
            return StorageUnavailable(
                f"The catalog {self._place} cannot be written; is its disk full? ({error}); nothing was changed"
            )
        if _named(error, _DAMAGED):
            return Corrupt(f"The catalog {self._place} is damaged, or no catalog: {error}; put back a copy of it")
        return StorageUnavailable(f"The catalog {self._place} cannot be used: {error}; nothing was changed")


def _named(error: BaseException | None, names: tuple[str, ...]) -> bool:
    return getattr(error, "sqlite_errorname", "").startswith(names)


def sqlite(path: Path) -> Database:
    """A file of SQLite in WAL mode. Connections are opened for each transaction, so that none is ever carried across a fork."""
    options = {"timeout": BUSY_SECONDS, "isolation_level": None}
    engine = create_engine(URL.create("sqlite", database=str(path)), poolclass=NullPool, connect_args=options)
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return Database(engine, str(path), _reading_only(path))


def sqlite_unwritable(path: Path) -> Database:
    """The same of a file in a directory that must not be, or cannot be, written: `writing` raises `StorageUnavailable`.

    SQLite wants to make files beside one in WAL mode, unless it is told that nobody changes it (`immutable`): true where there is
    nothing in a `-wal`, as of a directory at rest or a copy of one.
    """
    return Database(_reading_only(path), str(path))


def _reading_only(path: Path) -> Engine:
    engine = create_engine("sqlite://", poolclass=NullPool, creator=partial(_only_read, path))
    event.listen(engine, "begin", _begin)
    return engine


def _only_read(path: Path) -> SQLiteConnection:
    ahead = path.with_name(f"{path.name}-wal")
    at_rest = not ahead.exists() or not ahead.stat().st_size
    options = "immutable=1" if at_rest else "mode=ro"
    return connect(f"file:{quote(str(path))}?{options}", uri=True, timeout=BUSY_SECONDS, isolation_level=None)


def remote(url: str) -> Database:
    """A database server by its SQLAlchemy URL, such as `postgresql+psycopg://host/name`."""
    engine = create_engine(url, pool_pre_ping=True)
    return Database(engine, engine.url.render_as_string(hide_password=True))


def _prepare(connection: SQLiteConnection, _: Any) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _begin(connection: Connection) -> None:
    # A writer takes its lock at once: one that has read first could not wait for another, only fail.
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("writes") else "BEGIN")
