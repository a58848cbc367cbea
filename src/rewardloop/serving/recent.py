"""The newest decisions whose events have to be looked up when they are rewarded. Memory only, bounded: the log has them all."""

from __future__ import annotations

from typing import NamedTuple

from rewardloop.events import Decision

CAPACITY = 65_536


class Taken(NamedTuple):
    """What is remembered of a decision."""

    decided_at: int
    slots: tuple[str, ...]


class Recent:
    """Event id → when it was decided and with which slots, of the newest `capacity`.

    >>> recent = Recent(capacity=1)
    >>> for event_id in ("a", "b"):
    ...     recent.remember(Decision(event_id, "offers", "offers.0", 5, b"{}", b'["x"]', (1.0,), 0, 1.0, 0, 0.5))
    >>> recent.find("a"), recent.find("b")
    (None, Taken(decided_at=5, slots=()))
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._taken: dict[str, Taken] = {}

    def remember(self, decision: Decision) -> None:
        if len(self._taken) >= self._capacity and decision.event_id not in self._taken:
            del self._taken[next(iter(self._taken))]
        self._taken.setdefault(decision.event_id, taken(decision))

    def find(self, event_id: str) -> Taken | None:
        return self._taken.get(event_id)


def taken(decision: Decision) -> Taken:
    """What would be remembered."""
    return Taken(decision.decided_at, tuple([choice.slot for choice in decision.slots]))
