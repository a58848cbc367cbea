"""The newest records of a log, in the order of their time."""

from __future__ import annotations

from rewardloop.events import Activation, Decision, Record
from rewardloop.log import Cursor, LogReader


def recorded_at(record: Record) -> int:
    """When a record was made, in microseconds UTC."""
    if isinstance(record, Decision):
        return record.decided_at
    return record.activated_at if isinstance(record, Activation) else record.rewarded_at


def newest(reader: LogReader, n: int) -> tuple[list[Record], Cursor]:
    """The last n records of all writers, oldest first, and the cursor after them."""
    end = reader.end()
    records, cursor = reader.read(Cursor({name: max(0, seq - n) for name, seq in end.positions.items()}), limit=max(n, 1) * 64)
    return sorted(records, key=recorded_at)[-n:] if n else [], cursor
