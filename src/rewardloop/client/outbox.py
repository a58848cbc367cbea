"""A bounded queue of requests in an SQLite file: what is in it survives the process, and leaves when the server has it."""

from __future__ import annotations

import os
import sqlite3
import threading
import weakref
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from rewardloop.client.wire import Post
from rewardloop.errors import RewardloopError, StorageUnavailable

LIMIT = 100_000
KEPT_REFUSALS = 1_000
_SCHEMA = """
CREATE TABLE IF NOT EXISTS waiting (id INTEGER PRIMARY KEY AUTOINCREMENT, path TEXT NOT NULL, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS refused (id INTEGER PRIMARY KEY, path TEXT NOT NULL, body BLOB NOT NULL, reason TEXT NOT NULL);
"""


class QueueFull(RewardloopError):
    """The server has been away for so long that no more is taken: nothing was recorded."""

    code, title, status = "queue-full", "Queue full", 503


class Waiting(NamedTuple):
    """One request of the queue."""

    id: int
    post: Post


class Refusal(NamedTuple):
    """A request that the server will never take, and its sentence."""

    path: str
    body: bytes
    reason: str


class Outbox:
    """Threads and processes may share the file; `None` for a queue in memory. Survives `kill -9`; a power cut may take the latest.

    Raises `QueueFull`, and `StorageUnavailable` where the file cannot be used.
    """

    def __init__(self, path: Path | None, limit: int = LIMIT) -> None:
        self._path = path
        self._limit = limit
        self._inherited: list[sqlite3.Connection] = []
        self._open()
        _guard_forks(weakref.ref(self))

    def add(self, posts: Iterable[Post]) -> None:
        """In the file when this returns: all of them, or none."""
        rows = [(post.path, post.body) for post in posts]
        with self._transaction() as database:
            (n,) = database.execute("SELECT count(*) FROM waiting").fetchone()
            if n + len(rows) > self._limit:
                raise QueueFull(f"{self._place} holds {n:,} requests, {self._limit:,} at most: is the server gone?")
            database.executemany("INSERT INTO waiting (path, body) VALUES (?, ?)", rows)

    def oldest(self, n: int) -> list[Waiting]:
        """The first n that wait, in order."""
        with self._transaction() as database:
            rows = database.execute("SELECT id, path, body FROM waiting ORDER BY id LIMIT ?", (n,)).fetchall()
        return [Waiting(id_, Post(path, body)) for id_, path, body in rows]

    def done(self, sent: Sequence[Waiting]) -> None:
        """The server has them."""
        with self._transaction() as database:
            database.executemany("DELETE FROM waiting WHERE id = ?", [(each.id,) for each in sent])

    def refuse(self, refused: Waiting, reason: str) -> None:
        """The server will never take it: it waits no longer, and is kept for whoever looks, the newest thousand."""
        id_, (path, body) = refused
        with self._transaction() as database:
            database.execute("INSERT OR REPLACE INTO refused VALUES (?, ?, ?, ?)", (id_, path, body, reason))
            database.execute("DELETE FROM refused WHERE id <= (SELECT max(id) FROM refused) - ?", (KEPT_REFUSALS,))
            database.execute("DELETE FROM waiting WHERE id = ?", (id_,))

    def refusals(self) -> list[Refusal]:
        """What was refused, oldest first."""
        with self._transaction() as database:
            return [Refusal(*row) for row in database.execute("SELECT path, body, reason FROM refused ORDER BY id")]

    def __len__(self) -> int:
        with self._transaction() as database:
            return int(database.execute("SELECT count(*) FROM waiting").fetchone()[0])

    def close(self) -> None:
        with self.lock:
            self._database.close()

    @property
    def _place(self) -> str:
        return str(self._path) if self._path else "the queue in memory"

    def _open(self) -> None:
        self._pid = os.getpid()
        self.lock = threading.Lock()
        try:
            self._database = sqlite3.connect(self._path or ":memory:", timeout=10, check_same_thread=False, isolation_level=None)
            self._database.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;" + _SCHEMA)
        except sqlite3.Error as error:
            raise self._explained(error) from error

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        if os.getpid() != self._pid:  # A connection must not be carried across a fork, nor closed there.
            self._inherited.append(self._database)
            self._open()
        with self.lock, self._begun():
            yield self._database

    @contextmanager
    def _begun(self) -> Iterator[None]:
        try:
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")
        except sqlite3.Error as error:
            raise self._explained(error) from error

    def _explained(self, error: sqlite3.Error) -> StorageUnavailable:
        return StorageUnavailable(f"The queue {self._place} cannot be used: {error}; nothing was recorded")


def _guard_forks(outbox: weakref.ref[Outbox]) -> None:
    """No thread is inside SQLite when the process forks: the child would wait for ever for a mutex that nobody holds any more."""
    held: list[threading.Lock] = []

    def before() -> None:
        living = outbox()
        if living is not None:
            living.lock.acquire()
            held.append(living.lock)

    def after() -> None:
        while held:
            held.pop().release()

    os.register_at_fork(before=before, after_in_parent=after, after_in_child=after)
