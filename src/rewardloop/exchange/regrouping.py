"""The slots of a decision, which the lake closes one by one, put together again for formats that hold decisions over several."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from itertools import islice

from rewardloop.events import Decision
from rewardloop.exchange.event import ClosedEvent, ClosedSlots
from rewardloop.ids import part_of
from rewardloop.lake import DataSet

_BATCH = 10_000


def with_slots(data: DataSet, events: Iterable[ClosedEvent]) -> Iterator[ClosedEvent | ClosedSlots]:
    """The same events, slots in the place of the last of them; those of which one is still open at the end.

    Memory: a batch, and the decisions some of whose slots have closed and others not.
    """
    rest = iter(events)
    held: dict[str, dict[str, ClosedEvent]] = {}
    wholes: dict[str, Decision] = {}
    while batch := list(islice(rest, _BATCH)):
        ids = {part.event_id for part in (part_of(event.event_id) for event in batch) if part.slot}
        wholes |= data.wholes(sorted(ids - wholes.keys())) if ids else {}
        for event in batch:
            part = part_of(event.event_id)
            if part.event_id not in wholes:
                yield event
                continue
            slots = held.setdefault(part.event_id, {})
            slots[part.slot] = event
            if len(slots) == len(wholes[part.event_id].slots):
                yield _together(wholes.pop(part.event_id), held.pop(part.event_id))
    yield from (_together(wholes[event_id], slots) for event_id, slots in held.items())


def _together(decision: Decision, slots: dict[str, ClosedEvent]) -> ClosedSlots:
    by_slot = {part_of(event.event_id).position: event.reward for event in slots.values()}
    return ClosedSlots(decision, tuple(by_slot.get(i, math.nan) for i in range(len(decision.slots))))
