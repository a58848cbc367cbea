"""Log → lake. Exactly once: the lake keeps the log position in the same atomic step as the records themselves."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from rewardloop.clock import Clock
from rewardloop.events import Decision, Record
from rewardloop.lake import Lake
from rewardloop.log import Cursor, LogReader

CHUNK = 50_000
"""Records read at once, at most."""
FIRST = 2_000
"""Before it is known how large they are."""
CHUNK_BYTES = 64 << 20


def collect(reader: LogReader, lake: Lake, clock: Clock) -> int:
    """Move what is committed now into the lake; returns the watermark: everything up to that instant is there.

    A read that is not full has seen the end of every writer, after the watermark that was taken before it: what is committed
    meanwhile waits for the next turn, or traffic that never rests would never let this one begin. A record stamped before the
    watermark but committed after it is not lost: the lake takes it as a late commit.
    """
    cursor, limit = log_position(lake), FIRST
    while True:
        watermark = clock.now()
        records, cursor = reader.read(cursor, limit=limit)
        if records:
            lake.append(records, msgspec.json.encode(cursor))
        if len(records) < limit:
            return watermark
        limit = _fitting(records)


def log_position(lake: Lake) -> Cursor:
    """The log position up to which the lake has everything."""
    return msgspec.json.decode(lake.cursor, type=Cursor) if lake.cursor else Cursor()


def _fitting(records: Sequence[Record]) -> int:
    """How many records like these make `CHUNK_BYTES`."""
    size = sum(len(each.context) + len(each.actions) for each in records if isinstance(each, Decision))
    return min(CHUNK, max(1, CHUNK_BYTES * len(records) // max(size, 1)))
