"""What was earned, stretch by stretch: every closed decision in exactly one, whatever the files look like."""

from __future__ import annotations

import pytest

from builders import decision, reward
from rewardloop.lake import Lake
from rewardloop.lake.progress import SHORTEST, STRETCHES
from rewardloop.settings import RewardSettings

SECOND = 1_000_000
ARMS = ("red", "green", "blue")


def lake_of(directory, values, batch=1_000):
    """One decision a second: action i mod 3, and a final reward at once."""
    lake = Lake(directory / "lake", RewardSettings(window=60 * SECOND))
    for start in range(0, len(values), batch):
        records = []
        for i in range(start, min(start + batch, len(values))):
            at = (i + 1) * SECOND
            model = f"shop.{i // 1_000}"
            records.append(decision(f"e{i}", decided_at=at, action=i % 3, model_id=model))
            records.append(reward(f"e{i}", values[i], rewarded_at=at, final=True))
        lake.append(records, b"")
    return lake


def test_stretches_follow_one_another_and_hold_every_closed_decision_once(tmp_path):
    values = [float(i >= 1_500) for i in range(3_000)]
    found = lake_of(tmp_path, values, batch=700).join(3_000 * SECOND).progress(ARMS)
    assert (len(found.stretches), found.n) == (STRETCHES, 3_000)
    assert [s.reward for s in found.stretches] == [0.0] * 20 + [1.0] * 20
    assert [s.first_at for s in found.stretches] == [(75 * k + 1) * SECOND for k in range(40)]
    assert [s.last_at for s in found.stretches] == [75 * (k + 1) * SECOND for k in range(40)]
    assert [s.model_id for s in found.stretches][::13] == ["shop.0", "shop.1", "shop.2", "shop.2"]
    assert all(s.chosen == (25, 25, 25) for s in found.stretches)


def test_files_do_not_change_what_is_found(tmp_path):
    values = [float(i % 7 == 0) for i in range(1_000)]
    whole = lake_of(tmp_path / "whole", values).join(1_000 * SECOND).progress(ARMS)
    assert lake_of(tmp_path / "cut", values, batch=90).join(1_000 * SECOND).progress(ARMS) == whole


def test_few_decisions_make_few_stretches_and_the_open_ones_none(tmp_path):
    lake = lake_of(tmp_path, [0.0, 1.0] * SHORTEST)
    lake.append([decision("open", decided_at=(2 * SHORTEST + 1) * SECOND)], b"")
    dataset = lake.join((2 * SHORTEST + 1) * SECOND)
    first, second = dataset.progress().stretches
    assert (first.n, second.n, first.chosen) == (SHORTEST, SHORTEST, ())
    assert first.lower == pytest.approx(first.reward - 1.96 * (first.reward * (1 - first.reward) / (SHORTEST - 1)) ** 0.5)


def test_of_nothing_there_is_nothing(tmp_path):
    lake = Lake(tmp_path / "lake", RewardSettings())
    assert lake.join(SECOND).progress(ARMS).stretches == ()
    lake.append([decision("a", decided_at=2 * SECOND)], b"")
    assert lake.join(3 * SECOND).progress(ARMS).n == 0


def test_a_watermark_gives_what_was_closed_by_then(tmp_path):
    lake = lake_of(tmp_path, [1.0] * 500)
    lake.join(500 * SECOND)
    assert lake.dataset(250 * SECOND).progress(ARMS).n == 250
