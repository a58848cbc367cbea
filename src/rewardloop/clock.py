"""The only reader of time. Instants are int64 microseconds since the epoch, UTC, and never go backwards in one process."""

from __future__ import annotations

import time
from typing import Protocol

SECOND = 1_000_000


class Clock(Protocol):
    """Tells the time. `SystemClock` is the machine's; `ManualClock` goes only when it is told to."""

    def now(self) -> int:
        """Microseconds since 1970, UTC; never smaller than an earlier answer of the same clock."""
        ...


def cpu_seconds() -> float:
    """What this process has used of the processor: for measurements, never for decisions."""
    return time.process_time()


class SystemClock:
    """The machine's clock, held still while it is set back (by NTP, or by hand) until it has caught up."""

    def __init__(self) -> None:
        self._last = 0

    def now(self) -> int:
        now = time.time_ns() // 1000
        if now < self._last:
            return self._last
        self._last = now
        return now


class ManualClock:
    """A clock that tests turn by hand.

    >>> clock = ManualClock(5)
    >>> clock.advance(2); clock.now()
    7
    """

    def __init__(self, at: int = 1_700_000_000 * SECOND) -> None:
        self._at = at

    def now(self) -> int:
        return self._at

    def advance(self, microseconds: int) -> None:
        self._at += microseconds


def isoformat(at: int) -> str:
    """An instant for people, with its zone.

    >>> isoformat(1_700_000_000_123_456)
    '2023-11-14T22:13:20.123456Z'
    """
    seconds, micros = divmod(at, SECOND)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{micros:06d}Z"
