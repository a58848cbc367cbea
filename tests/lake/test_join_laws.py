"""The lake agrees with the rules told in plain Python, whatever the order, the slicing and the repetition of what arrives."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import get_args

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from builders import activation, decision, reward
from join_oracle import assert_counted, join
from rewardloop.events import Record
from rewardloop.ids import event_key
from rewardloop.lake import DataSet, Lake
from rewardloop.settings import Duration, RewardSettings
from rewardloop.settings.schema import Aggregation

WINDOW = 10
END = 100

ids = st.sampled_from(["a", "b", "c", "d", str(event_key("e"))])
times = st.integers(20, 60)
values = st.sampled_from([0.0, 1.0, -0.5, 0.1, 0.2, 0.3, 1e16])
decisions = st.builds(
    lambda i, at, deferred: decision(i, decided_at=at, deferred=deferred), ids, times, st.sampled_from([False, False, True])
)
carried = st.dictionaries(st.sampled_from(["cost", "ms"]), st.sampled_from([1.0, 2.5, -3.0]))
rewards = st.builds(
    lambda i, at, value, key, final, metrics: reward(
        i, value, rewarded_at=at, reward_id=key, final=final, metrics=tuple(sorted(metrics.items()))
    ),
    ids,
    times,
    values,
    st.sampled_from(["", "", "x", "y"]),
    st.sampled_from([False, False, False, True]),
    st.just({}) | carried,
)
activations = st.builds(lambda i, at: activation(i, activated_at=at), ids, times)
histories = st.lists(st.one_of(decisions, rewards, rewards, rewards, activations), max_size=30)
rules = st.builds(
    lambda how, default, closes: RewardSettings(window=Duration(WINDOW), aggregation=how, default=default, closes=closes),
    st.sampled_from(get_args(Aggregation)),
    st.sampled_from([0.0, -1.0]),
    st.sampled_from(["early", "early", "window"]),
)


def labels(data: DataSet) -> dict[str, tuple[int, float]]:
    batches = list(data.interactions(batch=3))
    return {
        event_id: (int(at), float(value))
        for batch in batches
        for event_id, at, value in zip(batch.event_ids, batch.closed_at, batch.reward, strict=True)
    }


def metrics(data: DataSet) -> dict[tuple[str, str], float]:
    return {
        (event_id, name): float(value)
        for batch in data.interactions(batch=3, metrics=["cost", "ms"])
        for name, column in batch.metrics.items()
        for event_id, value in zip(batch.event_ids, column, strict=True)
        if not np.isnan(value)
    }


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.data_too_large])
@given(records=histories, rules=rules, data=st.data())
def test_any_slicing_gives_the_labels_and_the_ledger_of_the_oracle(
    records: list[Record], rules: RewardSettings, data: st.DataObject
) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(15, 80), max_size=4), label="watermarks"))
    split = data.draw(st.integers(0, len(records)), label="split")
    with tempfile.TemporaryDirectory() as directory:
        sliced = Lake(Path(directory) / "one", rules)
        sliced.append(records[:split], b"1")
        sliced.append(records[split:], b"2")
        for watermark in [*cuts, END]:
            joined, expected = sliced.join(watermark), join(records, rules, watermark)
            assert labels(joined) == {i: (at, value) for i, (at, value, _) in expected.labels.items()}
            assert_counted(joined.ledger, expected)
            assert metrics(joined) == pytest.approx(
                {(i, name): value for i, told in expected.metrics.items() for name, value in told.items()}
            )

        shuffled = data.draw(st.permutations(records), label="order")
        whole = Lake(Path(directory) / "other", rules)
        whole.append(shuffled, b"1")
        assert whole.join(END).fingerprint == sliced.dataset().fingerprint
        for watermark in cuts:
            assert whole.dataset(watermark).fingerprint == sliced.dataset(watermark).fingerprint
        assert msgspec.structs.replace(whole.ledger, late_commits=0) == sliced.ledger


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.data_too_large])
@given(records=histories, rules=rules, data=st.data())
def test_records_that_come_late_count_as_if_stamped_after_the_last_closed_data_set(
    records: list[Record], rules: RewardSettings, data: st.DataObject
) -> None:
    effective: list[Record] = []
    names: dict[int, str] = {}
    joined = -1
    with tempfile.TemporaryDirectory() as directory:
        lake = Lake(Path(directory), rules)
        while records:
            chunk, records = records[:4], records[4:]
            lake.append(chunk, b"")
            effective += [_not_before(record, joined + 1) for record in chunk]
            joined = data.draw(st.integers(max(joined, 15), max(joined, 15) + 12), label="watermark")
            names[joined] = lake.join(joined).fingerprint
            expected = join(effective, rules, joined)
            assert labels(lake.dataset()) == {i: (at, value) for i, (at, value, _) in expected.labels.items()}
            assert_counted(lake.ledger, expected)
        lake.join(500)
        assert {watermark: lake.dataset(watermark).fingerprint for watermark in names} == names


def _not_before(record: Record, at: int) -> Record:
    name = {"Decision": "decided_at", "Reward": "rewarded_at", "Activation": "activated_at"}[type(record).__name__]
    return msgspec.structs.replace(record, **{name: max(getattr(record, name), at)})
