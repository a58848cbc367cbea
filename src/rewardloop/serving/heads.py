"""Heads of requests that came before. Nothing here parses: the same bytes between two messages mean the same request again.

A client on a kept-alive connection sends the same request line and headers with every body of a length. Parsing them afresh, a
callback a header, was a tenth of what a decision over HTTP costs.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from rewardloop.serving.replies import Header
from rewardloop.serving.routes import Match, Route

MAX_HEADS: Final = 1_024
MAX_BYTES: Final = 2_048
"""A longer head is parsed each time."""


class Head(NamedTuple):
    """What the parser, the router and the checks of headers made of the bytes before a body."""

    route: Route
    match: Match
    url: tuple[bytes, bytes]
    """Path and query."""
    headers: list[Header]
    length: int
    """Of the body."""


class Heads:
    """Those of one worker, all connections together; when there are too many it begins afresh."""

    def __init__(self) -> None:
        self._known: dict[bytes, Head] = {}
        self.find = self._known.get
        """The head of its bytes, without the empty line at their end; None where it is not known."""

    def remember(self, raw: bytes, head: Head) -> None:
        """What those bytes mean."""
        if len(raw) <= MAX_BYTES:
            if len(self._known) >= MAX_HEADS:
                self._known.clear()
            self._known[raw] = head
