"""A closed event as it is handed to a writer of any format, and what a writer is."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Protocol, runtime_checkable

from rewardloop.actions import ActionSet
from rewardloop.events import Decision

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class ClosedEvent(NamedTuple):
    """One decision with its reward, as logged."""

    event_id: str
    decided_at: int
    """Microseconds UTC."""
    model_id: str
    context: bytes
    """JSON, verbatim."""
    actions: ActionSet
    pmf: tuple[float, ...]
    """NaN where the log holds none."""
    action: int
    """Index among the actions, from 0."""
    probability: float
    reward: float
    sample_prob: float
    closed_at: int
    """Microseconds UTC."""
    values: tuple[float, ...] = ()
    """Where the action is continuous: what was chosen; `action` is its cell."""
    density: float = 0.0
    """That `values` was drawn with; infinite where it was not drawn."""

    @property
    def chosen(self) -> str:
        """The id of the action."""
        return self.actions.ids[self.action]

    @property
    def has_pmf(self) -> bool:
        """Whether the whole distribution is known."""
        return self.pmf[0] == self.pmf[0]

    @property
    def drawn_density(self) -> float | None:
        """None where the action is discrete, or its value was not drawn."""
        return self.density if self.values and math.isfinite(self.density) else None


class ClosedSlots(NamedTuple):
    """One decision over several slots, with the reward of each; NaN where a slot is still open."""

    decision: Decision
    rewards: tuple[float, ...]


class EventWriter(Protocol):
    """Writes events to the file it was made with. Laws: `write` may raise `InvalidInput` for an event that its format cannot
    hold, and has then written nothing of it; nothing is complete before `close`, which leaves the file itself open."""

    def write(self, event: ClosedEvent) -> None: ...

    def close(self) -> None: ...


@runtime_checkable
class SlotsWriter(EventWriter, Protocol):
    """Of a format that holds decisions over several slots as they were made; to the others each slot is an event of its own."""

    def write_slots(self, event: ClosedSlots) -> None: ...


def iso(at: int) -> str:
    """An instant as ISO 8601.

    >>> iso(1_700_000_000_000_001)
    '2023-11-14T22:13:20.000001Z'
    """
    return (_EPOCH + timedelta(microseconds=at)).isoformat(timespec="microseconds")[:-6] + "Z"
