"""Decisions over several slots in the lake: each slot is an event of its own, and what is told of the whole reaches each."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import hypothesis
import msgspec
import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from builders import AT, activation, decision, ranking, reward
from join_oracle import assert_counted, join
from rewardloop.clock import SECOND
from rewardloop.events import Activation, Decision, Record, Reward
from rewardloop.ids import part_of, slot_event_id, unplaced
from rewardloop.lake import DataSet, Lake
from rewardloop.loop.closing import Closing
from rewardloop.settings import Duration, RewardSettings
from rewardloop.settings.schema import Aggregation

WINDOW, END = 10, 100
K = {"a": 2, "b": 3, "c": 1, "d": 0}
"""Slots of each event; d is an ordinary decision."""

ids, times = st.sampled_from(list(K)), st.integers(20, 60)
decisions = st.builds(
    lambda i, at, deferred: msgspec.structs.replace(ranking(i, K[i]) if K[i] else decision(i), decided_at=at, deferred=deferred),
    ids,
    times,
    st.sampled_from([False, False, True]),
)
rewards = st.builds(
    lambda i, at, value, key, final, slot: reward(i, value, rewarded_at=at, reward_id=key, final=final, slot=slot),
    ids,
    times,
    st.sampled_from([0.0, 1.0, -0.5]),
    st.sampled_from(["", "", "x"]),
    st.sampled_from([False, False, False, True]),
    st.sampled_from(["", "", "1", "2"]),
)
activations = st.builds(lambda i, at: activation(i, activated_at=at), ids, times)
histories = st.lists(st.one_of(decisions, rewards, rewards, rewards, activations), max_size=25)
rules = st.builds(
    lambda how, closes: RewardSettings(window=Duration(WINDOW), aggregation=how, default=-1.0, closes=closes),
    st.sampled_from(get_args(Aggregation)),
    st.sampled_from(["early", "window"]),
)


def told(records: Sequence[Record]) -> list[Record]:
    """The same with an ordinary decision a slot, and a reward or activation a slot for each of the whole event."""
    since: dict[str, int] = {}
    for record in records:
        if isinstance(record, Decision):
            since[record.event_id] = min(record.decided_at, since.get(record.event_id, END))
    return [part for record in records for part in _parts(record, since)]


def _parts(record: Record, since: dict[str, int]) -> list[Record]:
    event, k = record.event_id, K[record.event_id]
    names = [slot_event_id(event, str(i + 1)) for i in range(k)]
    if isinstance(record, Reward) and record.slot:
        return [msgspec.structs.replace(record, event_id=slot_event_id(event, record.slot), slot="")]
    if isinstance(record, Decision):
        return [msgspec.structs.replace(record, event_id=name, slots=()) for name in names] or [record]
    at = record.rewarded_at if isinstance(record, Reward) else record.activated_at
    fits = event in since and at >= since[event] - WINDOW
    return [msgspec.structs.replace(record, event_id=name) for name in names] if names and fits else [record]


def labels(data: DataSet) -> dict[str, tuple[int, float]]:
    return {
        unplaced(event_id): (int(at), float(value))
        for batch in data.interactions(batch=3)
        for event_id, at, value in zip(batch.event_ids, batch.closed_at, batch.reward, strict=True)
    }


@hypothesis.settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.data_too_large])
@given(records=histories, rules=rules, data=st.data())
def test_the_lake_agrees_with_the_oracle_on_slots_whatever_the_order(
    records: list[Record], rules: RewardSettings, data: st.DataObject
) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(15, 80), max_size=3), label="watermarks"))
    split = data.draw(st.integers(0, len(records)), label="split")
    with tempfile.TemporaryDirectory() as directory:
        sliced = Lake(Path(directory) / "one", rules)
        sliced.append(records[:split], b"1")
        sliced.append(records[split:], b"2")
        for watermark in [*cuts, END]:
            joined, expected = sliced.join(watermark), join(told(records), rules, watermark)
            assert labels(joined) == {i: (at, value) for i, (at, value, _) in expected.labels.items()}
            assert_counted(joined.ledger, expected)
        other = Lake(Path(directory) / "other", rules)
        for record in data.draw(st.permutations(records), label="order"):
            other.append([record], b"")
        assert other.join(END).fingerprint == sliced.dataset().fingerprint
        assert msgspec.structs.replace(other.ledger, late_commits=0) == msgspec.structs.replace(sliced.ledger, late_commits=0)


@hypothesis.settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.data_too_large])
@given(records=histories, rules=rules, data=st.data())
def test_records_of_slots_that_come_late_count_from_the_next_data_set_on(
    records: list[Record], rules: RewardSettings, data: st.DataObject
) -> None:
    effective: list[Record] = []
    joined = -1
    with tempfile.TemporaryDirectory() as directory:
        lake = Lake(Path(directory), rules)
        while records:
            chunk, records = records[:4], records[4:]
            lake.append(chunk, b"")
            effective += [_not_before(record, joined + 1) for record in chunk]
            joined = data.draw(st.integers(max(joined, 15), max(joined, 15) + 12), label="watermark")
            lake.join(joined)
            expected = join(told(effective), rules, joined)
            assert labels(lake.dataset()) == {i: (at, value) for i, (at, value, _) in expected.labels.items()}
            assert_counted(lake.ledger, expected)


def _not_before(record: Record, at: int) -> Record:
    name = {"Decision": "decided_at", "Reward": "rewarded_at", "Activation": "activated_at"}[type(record).__name__]
    return msgspec.structs.replace(record, **{name: max(getattr(record, name), at)})


@hypothesis.settings(max_examples=30, deadline=None)
@given(records=histories, aggregation=st.sampled_from(get_args(Aggregation)), closes=st.sampled_from(["early", "window"]))
def test_online_closing_gives_the_labels_of_the_lake(records: list[Record], aggregation: Aggregation, closes: str) -> None:
    rules = RewardSettings(window=Duration(WINDOW), aggregation=aggregation, default=-1.0, closes=closes)  # type: ignore[arg-type]
    once = {(type(r), r.event_id): r for r in reversed(records) if isinstance(r, Decision)}
    timely = [r for r in sorted(records, key=_at) if not isinstance(r, Decision) or once[type(r), r.event_id] is r]
    firsts = {r.event_id: r.decided_at for r in timely if isinstance(r, Decision)}
    timely = [r for r in timely if isinstance(r, Decision) or _at(r) > firsts.get(r.event_id, END)]
    online = Closing(rules)
    closed = [each for record in timely for each in (*online.expire(_at(record) - 1), *online.take([record]))]
    closed += online.expire(END)
    with tempfile.TemporaryDirectory() as directory:
        lake = Lake(Path(directory), rules)
        lake.append(timely, b"1")
        expected = labels(lake.join(END))
    assert {unplaced(each.decision.event_id): (each.closed_at, each.reward) for each in closed} == {
        event: (at, pytest.approx(value)) for event, (at, value) in expected.items()
    }


def _at(record: Record) -> int:
    if isinstance(record, Decision):
        return record.decided_at
    return record.activated_at if isinstance(record, Activation) else record.rewarded_at


def test_the_event_is_found_whole_with_each_reward_once(tmp_path: Path) -> None:
    lake = Lake(tmp_path, RewardSettings())
    logged, whole, own = ranking("e", 3), reward("e", 1.0), reward("e", 1.0, slot="2")
    lake.append([whole], b"1")
    lake.append([logged], b"2")
    lake.append([own, activation("e")], b"3")
    first, *rest = lake.find("e")
    assert first == logged
    named = [msgspec.structs.replace(record, experiment="offers") for record in rest]
    assert sorted(named, key=str) == sorted([whole, own, activation("e")], key=str)


def test_a_part_says_its_slot_and_position_and_what_was_left(tmp_path: Path) -> None:
    lake = Lake(tmp_path, RewardSettings(aggregation="sum", window=Duration(60 * SECOND)))
    lake.append([ranking("e", 2), reward("e", 0.5), reward("e", 1.0, slot="2")], b"")
    (batch,) = lake.join(AT + 100 * SECOND).interactions()
    rows = sorted(zip(map(part_of, batch.event_ids), batch.reward.tolist(), batch.actions, strict=True), key=lambda row: row[0])
    assert [(part.slot, part.position, value, actions.ids) for part, value, actions in rows] == [
        ("1", 0, 0.5, ("a", "b", "c")),
        ("2", 1, 1.5, ("b", "c")),
    ]


def test_open_slots_are_open_again_after_a_restart_and_hear_of_the_whole_event(tmp_path: Path) -> None:
    rules = RewardSettings(window=Duration(60 * SECOND), aggregation="sum")
    lake = Lake(tmp_path, rules)
    lake.append([ranking("e", 2), reward("e", 1.0, slot="1", rewarded_at=AT + SECOND)], b"")
    lake.join(AT + 5 * SECOND)
    online = Closing(rules)
    assert list(online.take(lake.dataset().open_records())) == []
    closed = [*online.take([reward("e", 0.5)]), *online.expire(AT + 100 * SECOND)]
    assert sorted((part_of(each.decision.event_id).slot, each.reward) for each in closed) == [("1", 1.5), ("2", 0.5)]


def test_an_event_has_the_slots_of_its_first_decision(tmp_path: Path) -> None:
    lake = Lake(tmp_path, RewardSettings(window=Duration(60 * SECOND)))
    lake.append([ranking("e", 2), decision("f")], b"1")
    lake.append([ranking("e", 3), decision("e"), ranking("f", 2), reward("e")], b"2")
    ledger = lake.join(AT + 100 * SECOND).ledger
    assert (ledger.decisions, ledger.duplicate_decisions, ledger.rewards_received, ledger.rewards_counted) == (3, 6, 2, 2)
