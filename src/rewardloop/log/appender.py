"""The segment a writer is appending to. One transaction a commit, and no checkpoint: the WAL grows until the segment is retired."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from rewardloop.log.codec import Row
from rewardloop.log.database import create, open_writer
from rewardloop.settings import LogSettings

_INSERT = "INSERT INTO record (kind, payload) VALUES (?, ?)"
_PAGE = 4096


class Appender:
    """`size` estimates the bytes on disk: a commit writes its payloads and rewrites the page the last one ended on."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self.connection = connection
        self.size = 0

    @classmethod
    def make(cls, path: Path, settings: LogSettings) -> Appender:
        """A new segment, ready to append to. Raises `StorageUnavailable`."""
        create(path)
        return cls(path, open_writer(path, settings))

    def append(self, rows: Sequence[Row]) -> None:
        """All rows or none. Raises `sqlite3.Error`."""
        if len(rows) == 1:
            self.connection.execute(_INSERT, rows[0])
        else:
            self._append_many(rows)
        self.size += _PAGE + sum(len(payload) for _, payload in rows)

    def _append_many(self, rows: Sequence[Row]) -> None:
        connection = self.connection
        try:
            connection.execute("BEGIN")
            connection.executemany(_INSERT, rows)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
