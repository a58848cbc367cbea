"""Reading one segment: numbers without a gap, transactions that end before the call does."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import NamedTuple

from rewardloop.events import Record
from rewardloop.log.codec import decode
from rewardloop.log.database import SEALED, corrupt, open_reader, read_error

_AFTER = "SELECT seq, payload FROM record WHERE seq > ? ORDER BY seq LIMIT ?"
MAX_BYTES = 32 << 20
"""A read stops when it holds this much, whatever its limit."""


class Rows(NamedTuple):
    records: list[Record]
    last: int
    """The number of the last of them; where it was asked to start, if there is none."""
    more: bool
    """Whether it stopped because it had enough."""


class SegmentReader:
    """Holds a connection until `close`. Opening raises `FileNotFoundError`, `CorruptSegment` or `StorageUnavailable`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection = open_reader(path)

    def after(self, seq: int, limit: int) -> Rows:
        """At most `limit` records numbered above `seq`, in order."""
        try:
            rows, more = self._fetch(seq, limit)
        except sqlite3.Error as error:
            raise read_error(error, self._path) from error
        if not rows:
            return Rows([], seq, False)
        last = rows[-1][0]
        if last - seq != len(rows):
            self._check_gap(seq, rows)
        return Rows(self._decode([payload for _, payload in rows]), last, more)

    def last(self) -> int:
        """The number of the newest record, 0 if there is none."""
        return self._value("SELECT max(seq) FROM record") or 0

    def sealed(self) -> bool:
        return self._value(SEALED) == 1

    def last_at(self) -> int:
        """When the newest record of a sealed segment happened."""
        return self._value("SELECT value FROM meta WHERE key = 'last_at'") or 0

    def salvaged(self) -> bool:
        """Whether it was repaired, so that records may be missing."""
        return self._value("SELECT value FROM meta WHERE key = 'salvaged'") == 1

    def containing(self, text: bytes) -> list[Record]:
        """Records whose bytes contain `text`."""
        try:
            rows = self._connection.execute("SELECT payload FROM record WHERE instr(payload, ?) > 0", (text,)).fetchall()
        except sqlite3.Error as error:
            raise read_error(error, self._path) from error
        return self._decode([payload for (payload,) in rows])

    def close(self) -> None:
        self._connection.close()

    def _fetch(self, seq: int, limit: int) -> tuple[list[tuple[int, bytes]], bool]:
        result = self._connection.execute(_AFTER, (seq, limit))
        rows: list[tuple[int, bytes]] = []
        size = 0
        for row in result:
            rows.append(row)
            size += len(row[1])
            if size >= MAX_BYTES:
                break
        result.close()
        return rows, size >= MAX_BYTES or len(rows) == limit

    def _decode(self, payloads: list[bytes]) -> list[Record]:
        try:
            return decode(payloads)
        except ValueError as error:
            raise corrupt(self._path, f"a record that does not decode ({error})") from error

    def _check_gap(self, seq: int, rows: list[tuple[int, bytes]]) -> None:
        if self.salvaged():
            return
        expected, found = next((n, got) for n, (got, _) in enumerate(rows, seq + 1) if n != got)
        raise corrupt(self._path, f"record {found} where {expected} was due")

    def _value(self, query: str) -> int | None:
        try:
            row = self._connection.execute(query).fetchone()
        except sqlite3.Error as error:
            raise read_error(error, self._path) from error
        return None if row is None else row[0]
