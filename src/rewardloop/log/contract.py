"""What every event log is, whatever keeps it. `rewardloop.testing.log.LogContract` tests its laws; subclass it to test yours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from rewardloop.events import Record


class Cursor(msgspec.Struct, frozen=True):
    """How far a consumer has read: the last number read of each part (here a segment; a partition or a stream elsewhere).

    It holds one position a writer, so it stays small; it is kept as JSON beside whatever the consumer made of the records.

    >>> msgspec.json.decode(msgspec.json.encode(Cursor({"a-000001.segment": 7})), type=Cursor)
    Cursor(positions={'a-000001.segment': 7})
    """

    positions: dict[str, int] = msgspec.field(default_factory=dict)


class EventWriter(Protocol):
    """Appends records to a log; each process has its own.

    Laws
    - When `commit` returns, all its records are durable and the next `read` of any reader sees them. When it raises, none
      was acknowledged, and the same call may be made again once the cause is gone.
    - Records keep their order: within a call, and from one call of a writer to its next.
    - `close` may be called twice. Whoever dies without it loses nothing that was committed.
    """

    def commit(self, records: Sequence[Record]) -> None:
        """Make all of them durable, together. Raises `StorageUnavailable`."""
        ...

    def close(self) -> None: ...


class EventReader(Protocol):
    """Reads what all writers committed, from wherever a consumer left off.

    Laws
    - From the empty cursor onwards each committed record is read exactly once, in its writer's order, with no gap. There is
      no order between writers.
    - `read` changes nothing: the same cursor again gives the same records first. At most `limit` of them; none only when all
      has been read.
    - `lag` is the number of committed records that `read` has yet to give from this cursor on; `end` has none.
    - A reader never makes a writer fail or wait.
    """

    def read(self, cursor: Cursor, limit: int = 10_000) -> tuple[list[Record], Cursor]:
        """The next records after a cursor, and the cursor after them."""
        ...

    def end(self) -> Cursor:
        """The cursor after everything that is committed now."""
        ...

    def lag(self, cursor: Cursor) -> int:
        """How many records are committed after a cursor."""
        ...

    def close(self) -> None: ...


class EventLog(Protocol):
    """A place that writers and readers share. Each `writer()` is a new one; several may be open at once."""

    def writer(self) -> EventWriter: ...

    def reader(self) -> EventReader: ...
