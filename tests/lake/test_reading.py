"""Reading a data set: order, batches, splits, the newest, samples; the same whatever the files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from builders import AT, decision, reward
from rewardloop.clock import SECOND
from rewardloop.interactions import Interactions
from rewardloop.lake import DataSet, Lake
from rewardloop.settings import Duration, RewardSettings

N = 500
END = AT + 10_000 * SECOND


def filled(directory: Path, pieces: int) -> DataSet:
    """500 events, half of them rewarded, at mixed times, with two action sets, appended and joined in so many pieces."""
    lake = Lake(directory, RewardSettings(window=Duration(60 * SECOND)))
    for piece in range(pieces):
        numbers = range(N * piece // pieces, N * (piece + 1) // pieces)
        lake.append([record for i in numbers for record in _event(i)], b"")
        lake.join(AT + numbers.stop * SECOND)
    return lake.join(END)


def _event(i: int) -> list[object]:
    wide = i % 3 == 0
    made = decision(
        f"e{i}",
        decided_at=AT + i * SECOND + 1,
        context=b'{"i": %d}' % i,
        actions=b'["a", "b", "c", "d"]' if wide else b'["a", "b", "c"]',
        pmf=(0.1, 0.5, 0.2, 0.2) if wide else (0.2, 0.5, 0.3),
        sample_prob=(i * 37 % 100) / 100,
    )
    return [made, reward(f"e{i}", i / N, rewarded_at=AT + i * SECOND + i % 7 * SECOND + 1)][: 1 + i % 2]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    return filled(tmp_path_factory.mktemp("offers") / "lake", 20)


def order_of(batches: list[Interactions]) -> list[str]:
    return [event_id for batch in batches for event_id in batch.event_ids]


def test_every_row_carries_its_own_decision_and_label(data: DataSet) -> None:
    (batch,) = data.interactions()
    for row in range(N):
        i = int(batch.event_ids[row][1:])
        pmf = batch.pmf[batch.offsets[row] : batch.offsets[row + 1]]
        assert batch.contexts[row] == {"i": i}
        assert batch.reward[row] == (i / N if i % 2 else 0.0)
        assert list(pmf) == ([0.1, 0.5, 0.2, 0.2] if i % 3 == 0 else [0.2, 0.5, 0.3])
        assert len(batch.actions[row]) == len(pmf)
        assert batch.pmf[batch.chosen[row]] == batch.probability[row] == 0.5
        assert batch.sample_prob[row] == (i * 37 % 100) / 100


def test_events_come_in_the_order_they_closed_whatever_the_files(data: DataSet, tmp_path: Path) -> None:
    whole = filled(tmp_path, 1)
    (batch,) = data.interactions()
    assert (np.diff(batch.closed_at) >= 0).all()
    assert order_of([batch]) == order_of(list(whole.interactions(batch=33)))
    assert whole.fingerprint == data.fingerprint


def test_the_same_json_is_parsed_once(data: DataSet) -> None:
    assert len({id(actions) for batch in data.interactions(batch=50) for actions in batch.actions}) == 2


def test_what_reading_took_is_given_back_at_its_end(data: DataSet) -> None:
    before = pa.total_allocated_bytes()
    reading = data.interactions(batch=100)
    assert len(next(reading)) == 100
    assert pa.total_allocated_bytes() > before
    assert sum(map(len, reading)) == N - 100
    assert pa.total_allocated_bytes() == before


def test_batches_have_the_size_asked_for(data: DataSet) -> None:
    assert [len(batch) for batch in data.interactions(batch=150)] == [150, 150, 150, 50]


def test_ranges_cover_all_without_overlap(data: DataSet) -> None:
    middle = AT + 250 * SECOND
    first, second = list(data.interactions(until=middle)), list(data.interactions(after=middle))
    assert order_of(first + second) == order_of(list(data.interactions()))
    assert data.count(after=middle) == len(order_of(second))
    assert data.count(until=middle) + data.count(after=middle) == data.n == N


def test_train_and_eval_share_the_events_by_sample_prob(data: DataSet) -> None:
    train = list(data.interactions(split="train", ratio=0.8))
    held = list(data.interactions(split="eval", ratio=0.8))
    assert all((batch.sample_prob <= 0.8).all() for batch in train)
    assert all((batch.sample_prob > 0.8).all() for batch in held)
    assert len(order_of(train)) + len(order_of(held)) == N


def test_the_newest_are_the_last(data: DataSet) -> None:
    every = order_of(list(data.interactions(split="eval", ratio=0.5)))
    assert order_of(list(data.interactions(split="eval", ratio=0.5, newest=77))) == every[-77:]
    assert order_of(list(data.interactions(split="eval", ratio=0.5, newest=10_000))) == every
    assert list(data.interactions(newest=0)) == []


def test_a_sample_depends_on_its_seed_and_not_on_the_files(data: DataSet, tmp_path: Path) -> None:
    before = AT + 400 * SECOND
    sample = data.sample(100, seed=3, before=before, split="train", ratio=0.8)
    assert order_of([filled(tmp_path, 1).sample(100, seed=3, before=before, split="train", ratio=0.8)]) == order_of([sample])
    assert len(set(sample.event_ids)) == 100
    assert (sample.closed_at <= before).all()
    assert (sample.sample_prob <= 0.8).all()
    assert order_of([data.sample(100, seed=4)]) != order_of([data.sample(100, seed=5)])
    assert len(data.sample(10_000, seed=1)) == N


def test_samples_over_many_seeds_draw_every_event_about_equally(data: DataSet) -> None:
    """400 seeds, 50 of 500 each: a count is binomial with mean 40, sd 6; none is 6 sd off but once in a million runs."""
    counts = dict.fromkeys(order_of(list(data.interactions())), 0)
    for seed in range(400):
        for event_id in data.sample(50, seed=seed).event_ids:
            counts[event_id] += 1
    assert min(counts.values()) >= 4
    assert max(counts.values()) <= 76


def test_events_decided_after_an_instant_are_left_out_before_the_newest_are_counted(data: DataSet) -> None:
    every = order_of(list(data.interactions()))
    middle = AT + 250 * SECOND
    older = order_of(list(data.interactions(decided_by=middle)))
    assert 0 < len(older) < N
    assert older == [event for event in every if event in set(older)]
    assert order_of(list(data.interactions(decided_by=middle, newest=20))) == older[-20:]
    assert order_of(list(data.interactions(decided_by=middle + 10**12))) == every
    assert list(data.interactions(decided_by=0)) == []


def test_batches_offer_so_many_actions_at_most(data: DataSet) -> None:
    batches = list(data.interactions(offers=100))
    assert order_of(batches) == order_of(list(data.interactions()))
    assert all(90 < batch.offsets[-1] <= 100 for batch in batches[:-1])
    assert np.concatenate([batch.pmf for batch in batches]).tolist() == next(iter(data.interactions())).pmf.tolist()


def test_an_event_that_offers_more_comes_alone(data: DataSet) -> None:
    assert {len(batch) for batch in data.interactions(offers=1)} == {1}


def test_rows_are_taken_as_many_at_a_time_as_memory_should_hold(data: DataSet, monkeypatch: pytest.MonkeyPatch) -> None:
    (whole,) = data.interactions(newest=77)
    monkeypatch.setattr("rewardloop.lake.rows.TAKEN_BYTES", 1)
    (pieced,) = data.interactions(newest=77)
    assert [len(some) for some, _ in data.rows(["event_id"], batch=7)] == [1] * N
    assert pieced.event_ids == whole.event_ids
    assert pieced.offsets.tolist() == whole.offsets.tolist()


def test_action_sets_that_are_kept_are_bounded_by_their_actions(data: DataSet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rewardloop.lake.parsing.MAX_ACTIONS", 1)
    batches = list(data.interactions(batch=50))
    assert (
        len({id(actions) for batch in batches for actions in batch.actions}) >= 2 * len(batches) - 1
    )  # The set that is parsed last is kept.
