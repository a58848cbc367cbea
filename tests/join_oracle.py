"""The rules of the join, an event at a time in plain Python: what the lake must agree with."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import msgspec

from rewardloop.events import Activation, Decision, Record, Reward
from rewardloop.lake import Ledger
from rewardloop.settings import RewardSettings


@dataclass(frozen=True)
class Joined:
    labels: dict[str, tuple[int, float, int]] = field(default_factory=dict)
    """Event id → closed_at, reward, number of rewards that count."""
    metrics: dict[str, dict[str, float]] = field(default_factory=dict)
    """Event id → the mean of each metric over the rewards that count."""
    counts: Counter[str] = field(default_factory=Counter)


def join(records: Iterable[Record], settings: RewardSettings, watermark: int) -> Joined:
    records = list(records)
    decisions = [r for r in records if isinstance(r, Decision)]
    joined = Joined()
    for event_id in {r.event_id for r in records if isinstance(r, Decision | Reward)}:
        repeats = sorted((d for d in decisions if d.event_id == event_id), key=lambda d: (d.decided_at, d.deferred))
        rewards = [r for r in records if isinstance(r, Reward) and r.event_id == event_id]
        activations = [r.activated_at for r in records if isinstance(r, Activation) and r.event_id == event_id]
        _event(repeats, rewards, activations, settings=settings, watermark=watermark, joined=joined)
    joined.counts["duplicate_decisions"] = len(decisions) - joined.counts["decisions"]
    return joined


def _event(
    repeats: Sequence[Decision],
    rewards: Sequence[Reward],
    activations: Sequence[int],
    *,
    settings: RewardSettings,
    watermark: int,
    joined: Joined,
) -> None:
    count, window = joined.counts, int(settings.window)
    count["rewards_received"] += len(rewards)
    if not repeats:
        for reward in rewards:
            count["rewards_orphan" if reward.rewarded_at + window <= watermark else "rewards_waiting"] += 1
        return
    decision = repeats[0]
    opened, end = decision.decided_at, decision.decided_at + window
    count["decisions"] += 1

    near = sorted(
        (r for r in rewards if abs(r.rewarded_at - opened) <= window), key=lambda r: (r.rewarded_at, r.reward, _spelled(r))
    )
    closers = [r for r in near if r.final or settings.aggregation == "earliest"]
    shut = min([end, *(max(r.rewarded_at, opened) for r in closers)])
    awake = sorted(at for at in activations if abs(at - opened) <= window)
    inactive = decision.deferred and not awake
    closed_at = end if inactive or settings.closes == "window" else max([shut, *(awake if decision.deferred else [])[:1]])

    counted: list[Reward] = []
    fates: dict[int, str] = {}
    for i, reward in enumerate(near):
        if max(reward.rewarded_at, opened) > shut:
            fates[i] = "rewards_late"
        elif reward.reward_id and any(other.reward_id == reward.reward_id for other in near[:i]):
            fates[i] = "rewards_duplicate"
        elif settings.aggregation == "earliest" and counted:
            fates[i] = "rewards_late"
        else:
            counted.append(reward)
            fates[i] = "rewards_counted"
    for i, reward in enumerate(near):
        fate = "rewards_not_activated" if inactive and fates[i] != "rewards_late" else fates[i]
        count[fate if max(reward.rewarded_at, closed_at) <= watermark else "rewards_waiting"] += 1
    for reward in rewards:
        if reward not in near:
            fate = "rewards_late" if reward.rewarded_at > opened else "rewards_orphan"
            count[fate if reward.rewarded_at + window <= watermark else "rewards_waiting"] += 1

    if closed_at > watermark:
        count["open"] += 1
        return
    count["closed"] += 1
    if inactive:
        count["not_activated"] += 1
        return
    count["with_reward" if counted else "defaulted"] += 1
    joined.labels[decision.event_id] = (closed_at, _value(counted, settings), len(counted))
    _carried(decision.event_id, [pair for reward in counted for pair in reward.metrics], joined)


def _carried(event_id: str, told: Sequence[tuple[str, float]], joined: Joined) -> None:
    for name, _ in told:
        joined.metrics.setdefault(event_id, {})[name] = _mean([value for other, value in told if other == name])


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _value(counted: Sequence[Reward], settings: RewardSettings) -> float:
    values = [r.reward for r in counted]
    if not values:
        return settings.default
    aggregates = {
        "earliest": values[0],
        "latest": values[-1],
        "sum": math.fsum(values),
        "mean": math.fsum(values) / len(values),
        "min": min(values),
        "max": max(values),
    }
    return aggregates[settings.aggregation]


def _spelled(reward: Reward) -> str:
    return msgspec.json.encode(dict(reward.metrics)).decode() if reward.metrics else ""


COUNTS = [
    "decisions", "duplicate_decisions", "open", "closed", "with_reward", "defaulted", "not_activated", "rewards_received",
    "rewards_counted", "rewards_duplicate", "rewards_late", "rewards_orphan", "rewards_not_activated", "rewards_waiting",
]  # fmt: skip


def assert_counted(found: Ledger, expected: Joined) -> None:
    """The ledger of the lake has the counts of the oracle."""
    assert {name: getattr(found, name) for name in COUNTS} == {name: expected.counts[name] for name in COUNTS}
