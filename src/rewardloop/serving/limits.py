"""A rate limit: a token bucket for each caller, in bounded memory, of one worker."""

from __future__ import annotations

from rewardloop.clock import SECOND
from rewardloop.errors import TooManyRequests

MAX_CALLERS = 10_000
"""Buckets that are kept; the one that was used longest ago goes first, and begins full again."""
BURST_SECONDS = 2.0


class RateLimit:
    """`per_second` requests a second of each caller, and twice as many at once after a rest.

    A bucket is one number, the instant at which it will be full (the generic cell rate algorithm, ITU-T I.371).

    >>> limit = RateLimit(1.0)
    >>> limit.take("a", 0), limit.take("a", 0)
    (None, None)
    >>> limit.take("a", 0)
    Traceback (most recent call last):
    rewardloop.errors.TooManyRequests: Expected at most 1 request a second from `a`; come back in 1 s
    >>> limit.take("a", SECOND), limit.take("b", SECOND)
    (None, None)
    """

    def __init__(self, per_second: float) -> None:
        self._per_second = per_second
        self._interval = SECOND / per_second
        self._depth = max(BURST_SECONDS * SECOND, self._interval)
        self._full_at: dict[str, float] = {}

    def take(self, caller: str, now: int) -> None:
        """Raises `TooManyRequests`, which says when. Instants in microseconds."""
        full_at = max(self._full_at.pop(caller, 0.0), now) + self._interval
        wait = full_at - now - self._depth
        self._full_at[caller] = full_at if wait <= 0 else full_at - self._interval
        if len(self._full_at) > MAX_CALLERS:
            del self._full_at[next(iter(self._full_at))]
        if wait > 0:
            seconds = max(1, -int(-wait // SECOND))
            plural = "" if self._per_second == 1 else "s"
            raise TooManyRequests(
                f"Expected at most {self._per_second:g} request{plural} a second from `{caller}`; come back in {seconds} s", seconds
            )
