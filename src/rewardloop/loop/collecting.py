"""Log → lake. Exactly once: the lake keeps the log position in the same atomic step as the records themselves."""

from __future__ import annotations

import msgspec

from rewardloop.clock import Clock
from rewardloop.lake import Lake
from rewardloop.log import Cursor, LogReader

CHUNK = 50_000


def collect(reader: LogReader, lake: Lake, clock: Clock) -> int:
    """Move what is committed now into the lake; returns the watermark: everything up to that instant is there.

    A read that is not full has seen the end of every writer, after the watermark that was taken before it: what is committed
    meanwhile waits for the next turn, or traffic that never rests would never let this one begin. A record stamped before the
    watermark but committed after it is not lost: the lake takes it as a late commit.
    """
    cursor = log_position(lake)
    while True:
        watermark = clock.now()
        records, cursor = reader.read(cursor, limit=CHUNK)
        if records:
            lake.append(records, msgspec.json.encode(cursor))
        if len(records) < CHUNK:
            return watermark


def log_position(lake: Lake) -> Cursor:
    """The log position up to which the lake has everything."""
    return msgspec.json.decode(lake.cursor, type=Cursor) if lake.cursor else Cursor()
