"""Online closing agrees with the lake's join on the same records."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path
from typing import Literal

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

import builders
from rewardloop.clock import SECOND
from rewardloop.events import Record
from rewardloop.lake import Lake
from rewardloop.loop.closing import Closing
from rewardloop.settings import Duration, RewardSettings
from rewardloop.settings.schema import Aggregation

WINDOW = 60
IDS = [f"e{i}" for i in range(4)]


@st.composite
def histories(draw: st.DrawFn) -> list[Record]:
    """Decisions, and rewards up to beyond the window, in the order of their time."""
    records: list[tuple[int, Record]] = []
    for event_id in draw(st.lists(st.sampled_from(IDS), unique=True, min_size=1)):
        at = draw(st.integers(0, 50))
        records.append((at, builders.decision(event_id, decided_at=builders.AT + at * SECOND)))
        for n, delay in enumerate(draw(st.lists(st.integers(1, 90), unique=True, max_size=4))):
            later = at + delay
            value, key = draw(st.integers(0, 5)), draw(st.sampled_from(["", "same", f"own{n}"]))
            final = draw(st.booleans())
            told = (("cost", float(value)),) if draw(st.booleans()) else ()
            reward = builders.reward(
                event_id, value, rewarded_at=builders.AT + later * SECOND, reward_id=key, final=final, metrics=told
            )
            records.append((later, reward))
    return [record for _, record in sorted(records, key=lambda pair: (pair[0], str(pair[1])))]


@hypothesis.settings(max_examples=20)
@given(
    records=histories(),
    aggregation=st.sampled_from(["earliest", "latest", "sum", "mean", "min", "max"]),
    closes=st.sampled_from(["early", "window"]),
)
def test_online_closing_gives_the_labels_of_the_lake(
    records: list[Record], aggregation: Aggregation, closes: Literal["early", "window"]
) -> None:
    settings = RewardSettings(window=Duration(WINDOW * SECOND), aggregation=aggregation, default=-1.0, closes=closes)
    end = builders.AT + 1000 * SECOND
    online = Closing(settings)
    closed = [*online.take(records), *online.expire(end)]
    with tempfile.TemporaryDirectory() as directory:
        lake = Lake(Path(directory), settings)
        lake.append(records, b"1")
        batches = list(lake.join(end).interactions(split="all", metrics=["cost"]))
    expected = {
        event_id: (reward, at)
        for batch in batches
        for event_id, reward, at in zip(batch.event_ids, batch.reward.tolist(), batch.closed_at.tolist(), strict=True)
    }
    assert {each.decision.event_id: (pytest.approx(each.reward), each.closed_at) for each in closed} == expected
    costs = {
        event_id: cost
        for batch in batches
        for event_id, cost in zip(batch.event_ids, batch.metrics["cost"].tolist(), strict=True)
        if not math.isnan(cost)
    }
    assert {each.decision.event_id: pytest.approx(each.metrics[0][1]) for each in closed if each.metrics} == costs


def test_a_reward_before_its_decision_waits_for_it() -> None:
    closing = Closing(RewardSettings())
    assert list(closing.take([builders.reward("late-log")])) == []
    (closed,) = closing.take([builders.decision("late-log")])
    assert closed.reward == 1.0


def test_a_deferred_decision_counts_only_once_activated() -> None:
    settings = RewardSettings(window=Duration(WINDOW * SECOND))
    for activate in (False, True):
        closing = Closing(settings)
        records: list[Record] = [builders.decision(deferred=True)]
        records += [builders.activation()] if activate else []
        closed = [*closing.take([*records, builders.reward()]), *closing.expire(builders.AT + 1000 * SECOND)]
        assert [each.reward for each in closed] == ([1.0] if activate else [])


def test_a_final_reward_ends_a_deferred_event_that_is_not_yet_active() -> None:
    closing = Closing(RewardSettings(aggregation="sum"))
    records: list[Record] = [builders.decision(deferred=True), builders.reward(value=1.0, final=True), builders.reward(value=5.0)]
    (closed,) = closing.take([*records, builders.activation()])
    assert closed.reward == 1.0


def test_what_waits_for_a_decision_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rewardloop.loop.closing.MAX_EARLY", 10)
    closing = Closing(RewardSettings())
    list(closing.take(builders.reward(f"unknown-{i}") for i in range(1000)))
    assert len(closing._early) == 10
