"""The join in memory, an event at a time, for online learning: the same rules as the lake's SQL, on records as they arrive.

An event closes at its first reward (aggregation `earliest`), at a `final` reward, or when its window ends; where
`reward.closes` is `window`, always then. A test holds this against the lake's answer on the same records.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from math import fsum
from operator import itemgetter
from statistics import fmean
from typing import NamedTuple

from rewardloop.events import Activation, Decision, Metrics, Record, Reward
from rewardloop.ids import part_of, slot_event_id, unplaced
from rewardloop.lake.metrics import mean_metrics
from rewardloop.settings import Aggregation, RewardSettings
from rewardloop.slots import apart

MAX_EARLY = 100_000
"""Rewards and activations held for decisions that another worker's log has not shown yet."""


class Closed(NamedTuple):
    """An event that no later reward can change."""

    decision: Decision
    reward: float
    closed_at: int
    """Of a decision over several slots: each slot is one of these, its decision as `slots.apart` makes it."""
    metrics: Metrics = ()


@dataclass(slots=True)
class _Open:
    decision: Decision
    rewards: list[tuple[int, float, Metrics]] = field(default_factory=list)
    reward_ids: set[str] = field(default_factory=set)
    active: bool = True
    final: bool = False
    """No later reward counts, though a deferred event stays open until it is activated."""


class Closing:
    """Open events by id. `take` feeds records and yields what they close; `expire` yields what a window's end closes."""

    def __init__(self, settings: RewardSettings) -> None:
        self._settings = settings
        self._open: dict[str, _Open] = {}
        self._ends: list[tuple[int, str]] = []
        self._early: dict[str, list[Reward | Activation]] = {}
        self._slots: dict[str, set[str]] = {}
        """The open slots of an event that has several."""

    def __len__(self) -> int:
        return len(self._open)

    def take(self, records: Iterable[Record]) -> Iterator[Closed]:
        """Feed records in the order they were read."""
        for record in records:
            if isinstance(record, Decision):
                yield from self._decided(record)
            else:
                yield from self._followed(record)

    def expire(self, now: int) -> Iterator[Closed]:
        """Close every event whose window has ended by `now`."""
        while self._ends and self._ends[0][0] <= now:
            end, event_id = heappop(self._ends)
            event = self._pop(event_id)
            if event is not None and event.active:
                yield self._closed(event, end)

    def _decided(self, decision: Decision) -> Iterator[Closed]:
        parts = apart(decision) or [decision]
        opened = [key for key in map(self._opened, parts) if key]
        whole = part_of(decision.event_id).event_id
        early = [record for key in dict.fromkeys([*opened, whole] if opened else []) for record in self._early.pop(key, ())]
        for record in sorted(early, key=_told_at):
            yield from self._followed(record)

    def _opened(self, decision: Decision) -> str:
        """The key it is open under; empty where it was already."""
        key = unplaced(decision.event_id)
        if key in self._open:
            return ""
        self._open[key] = _Open(decision, active=not decision.deferred)
        heappush(self._ends, (decision.decided_at + self._settings.window, key))
        if key != decision.event_id:
            self._slots.setdefault(part_of(key).event_id, set()).add(key)
        return key

    def _pop(self, key: str) -> _Open | None:
        whole = part_of(key).event_id
        if whole in self._slots:
            self._slots[whole].discard(key)
            if not self._slots[whole]:
                del self._slots[whole]
        return self._open.pop(key, None)

    def _followed(self, record: Reward | Activation) -> Iterator[Closed]:
        key = slot_event_id(record.event_id, record.slot) if isinstance(record, Reward) and record.slot else record.event_id
        for each in sorted(self._slots.get(key, (key,))):
            yield from self._told(each, record)

    def _told(self, key: str, record: Reward | Activation) -> Iterator[Closed]:
        event = self._open.get(key)
        if event is None:
            self._hold(key, record)
        elif isinstance(record, Activation):
            event.active = True
            yield from self._close_if_complete(key, event, record.activated_at)
        elif self._counts(event, record):
            at = max(record.rewarded_at, event.decision.decided_at)
            event.rewards.append((at, record.reward, record.metrics))
            event.final = record.final
            yield from self._close_if_complete(key, event, at)

    def _counts(self, event: _Open, reward: Reward) -> bool:
        late = event.final or reward.rewarded_at > event.decision.decided_at + self._settings.window
        if late or reward.reward_id in event.reward_ids:
            return False
        if reward.reward_id:
            event.reward_ids.add(reward.reward_id)
        return True

    def _close_if_complete(self, key: str, event: _Open, at: int) -> Iterator[Closed]:
        first_decides = self._settings.aggregation == "earliest" and bool(event.rewards)
        if self._settings.closes == "early" and event.active and (event.final or first_decides):
            self._pop(key)
            yield self._closed(event, at)

    def _hold(self, key: str, record: Reward | Activation) -> None:
        if len(self._early) >= MAX_EARLY:
            del self._early[next(iter(self._early))]
        self._early.setdefault(key, []).append(record)

    def _closed(self, event: _Open, at: int) -> Closed:
        if not event.rewards:
            return Closed(event.decision, self._settings.default, at)
        rewards = sorted(event.rewards, key=itemgetter(0))
        counted = rewards[:1] if self._settings.aggregation == "earliest" else rewards
        value = _AGGREGATES[self._settings.aggregation]([reward for _, reward, _ in counted])
        carried = [metrics for _, _, metrics in counted if metrics]
        return Closed(event.decision, value, at, mean_metrics(carried) if carried else ())


def _told_at(record: Reward | Activation) -> int:
    return record.rewarded_at if isinstance(record, Reward) else record.activated_at


_AGGREGATES: dict[Aggregation, Callable[[Sequence[float]], float]] = {
    "earliest": itemgetter(0),
    "latest": itemgetter(-1),
    "sum": fsum,
    "mean": fmean,
    "min": min,
    "max": max,
}
"""Of the values in the order of their time."""
