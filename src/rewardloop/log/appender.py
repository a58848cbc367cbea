"""The segment a writer is appending to. One transaction a commit, and no checkpoint: the WAL grows until the segment is retired."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path

from rewardloop.log.codec import Row
from rewardloop.log.database import create, open_writer
from rewardloop.settings import LogSettings

_INSERT = "INSERT INTO record VALUES (?, ?, ?)"
_PAGE = 4096


class Appender:
    """Numbers the records from 1. `size` estimates the bytes on disk.

    A commit writes its payloads, and the page again that the last one ended on.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self.connection = connection
        self.size = 0
        self._last = 0

    @classmethod
    def make(cls, path: Path, settings: LogSettings) -> Appender:
        """A new segment, ready to append to. Raises `StorageUnavailable`."""
        create(path)
        return cls(path, open_writer(path, settings))

    def append(self, rows: Sequence[Row]) -> None:
        """All rows or none. Raises `sqlite3.Error`."""
        if len(rows) == 1:
            n, payload = rows[0]
            self.connection.execute(_INSERT, (self._last + n, n, payload))
        else:
            self._append_many(rows)
        self._last += sum(n for n, _ in rows)
        self.size += _PAGE + sum(len(payload) for _, payload in rows)

    def _append_many(self, rows: Sequence[Row]) -> None:
        connection = self.connection
        lasts = accumulate((n for n, _ in rows), initial=self._last)
        next(lasts)
        try:
            connection.execute("BEGIN")
            connection.executemany(_INSERT, [(last, n, payload) for last, (n, payload) in zip(lasts, rows, strict=True)])
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
