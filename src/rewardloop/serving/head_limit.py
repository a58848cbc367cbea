"""How large the head of a request may be, and how long it may take. The parser keeps whatever comes until a head is whole."""

from __future__ import annotations

MAX_HEAD = 64 << 10
"""Bytes of the request line and the headers."""

_END = b"\r\n\r\n"


class HeadLimit:
    """Counts what came of the head that one connection is waiting for.

    >>> limit = HeadLimit()
    >>> limit.exceeded(b"GET /healthz HTTP/1.1\\r\\n"), limit.exceeded(b"x" * 70_000)
    (False, True)
    """

    def __init__(self) -> None:
        self._waits = True
        self._n_bytes = 0
        self._tail = b""
        self._begun_inside = False
        self._lingered = False

    def exceeded(self, data: bytes) -> bool:
        """Whether the head is too large with what has come now."""
        if not self._waits or self._n_bytes + len(data) <= MAX_HEAD:
            return False
        end = (self._tail + data).find(_END)
        return end < 0 or self._n_bytes + end > MAX_HEAD

    def went_by(self, data: bytes) -> None:
        """The parser has taken it. How much of it belongs to a head that began inside is not known, and not counted."""
        if self._waits and not self._begun_inside:
            self._n_bytes += len(data)
            self._tail = data[-len(_END) + 1 :]
        self._begun_inside = False

    def ended(self) -> None:
        """The head is whole."""
        self._waits, self._n_bytes, self._tail, self._lingered = False, 0, b"", False

    def begins(self) -> None:
        """The request is whole: what follows is the next head."""
        self._waits = self._begun_inside = True

    def lingers(self) -> bool:
        """Asked once a period: whether a part of a head has been there for a whole one."""
        before, self._lingered = self._lingered, self._waits and self._n_bytes > 0
        return before and self._lingered
