"""Reading one segment: numbers without a gap, transactions that end before the call does."""

from __future__ import annotations

import sqlite3
from itertools import starmap
from pathlib import Path
from typing import NamedTuple

from rewardloop.events import Record
from rewardloop.log.codec import decode
from rewardloop.log.database import SEALED, corrupt, open_reader, read_error

_AFTER = "SELECT last, n, payload FROM record WHERE last > ? ORDER BY last"
MAX_BYTES = 32 << 20
"""A read stops when it holds this much, whatever its limit."""


class _Row(NamedTuple):
    """The `n` records numbered up to `last`."""

    last: int
    n: int
    payload: bytes


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
        self._check_gaps(seq, rows)
        records = self._decode(rows)
        last, kept = rows[-1].last, max(0, seq - (rows[0].last - rows[0].n))
        over = max(0, len(records) - kept - limit)
        return Rows(records[kept : len(records) - over], last - over, more)

    def last(self) -> int:
        """The number of the newest record, 0 if there is none."""
        return self._value("SELECT max(last) FROM record") or 0

    def sealed(self) -> bool:
        return self._value(SEALED) == 1

    def last_at(self) -> int:
        """When the newest record of a sealed segment happened."""
        return self._value("SELECT value FROM meta WHERE key = 'last_at'") or 0

    def salvaged(self) -> bool:
        """Whether it was repaired, so that records may be missing."""
        return self._value("SELECT value FROM meta WHERE key = 'salvaged'") == 1

    def containing(self, text: bytes) -> list[Record]:
        """Records, of which some have `text` among their bytes: all that stand in one row with such a one."""
        query = "SELECT last, n, payload FROM record WHERE instr(payload, ?) > 0"
        try:
            rows = self._connection.execute(query, (text,)).fetchall()
        except sqlite3.Error as error:
            raise read_error(error, self._path) from error
        return self._decode([_Row(*row) for row in rows])

    def close(self) -> None:
        self._connection.close()

    def _fetch(self, seq: int, limit: int) -> tuple[list[_Row], bool]:
        """Rows that hold `limit` records above `seq`, or enough bytes; whether it stopped for that."""
        result = self._connection.execute(_AFTER, (seq,))
        rows: list[_Row] = []
        count = size = 0
        for row in starmap(_Row, result):
            rows.append(row)
            count += min(row.n, row.last - seq)
            size += len(row.payload)
            if size >= MAX_BYTES or count >= limit:
                break
        result.close()
        return rows, size >= MAX_BYTES or count >= limit

    def _decode(self, rows: list[_Row]) -> list[Record]:
        try:
            records = decode([row.payload for row in rows])
        except ValueError as error:
            raise corrupt(self._path, f"a record that does not decode ({error})") from error
        if len(records) != sum(row.n for row in rows):
            raise corrupt(self._path, f"{len(records)} records where {sum(row.n for row in rows)} were due")
        return records

    def _check_gaps(self, seq: int, rows: list[_Row]) -> None:
        """The first row may begin before `seq`, each other one where the one before it ends."""
        due = seq + 1
        for row in rows:
            first = row.last - row.n + 1
            if first != max(due, 1) and not (first < due == seq + 1) and not self.salvaged():
                raise corrupt(self._path, f"record {first} where {due} was due")
            due = row.last + 1

    def _value(self, query: str) -> int | None:
        try:
            row = self._connection.execute(query).fetchone()
        except sqlite3.Error as error:
            raise read_error(error, self._path) from error
        return None if row is None else row[0]
