"""Rows that stand for several events (`pdrop`): what is taken in is a plain sample of the other system's events."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from builders import AT
from rewardloop.clock import SECOND
from rewardloop.exchange import ImportReport, import_file
from rewardloop.exchange.importing import LIGHTER
from rewardloop.lake import Lake
from rewardloop.settings import Duration, RewardSettings
from rewardloop.worlds.logged import read_log


def row(i: int, pdrop: float | None, reward: float) -> dict[str, object]:
    known = {} if pdrop is None else {"pdrop": pdrop}
    return {
        "_label_cost": -reward, "_label_probability": 0.5, "_labelIndex": 0, "EventId": f"e{i}", **known,
        "c": {"_multi": [{"_tag": "a"}, {"_tag": "b"}]},
    }  # fmt: skip


def taken_in(directory: Path, rows: list[dict[str, object]]) -> tuple[ImportReport, list[float]]:
    (directory / "h.json").write_text("".join(json.dumps(each) + "\n" for each in rows))
    lake = Lake(directory / "offers" / "lake", RewardSettings(window=Duration(60 * SECOND)))
    report = import_file(lake, directory / "h.json", None, AT)
    return report, [reward for batch in lake.join(AT + 100 * SECOND).interactions() for reward in batch.reward.tolist()]


def test_where_all_rows_stand_for_as_many_all_are_taken_in(tmp_path: Path) -> None:
    report, rewards = taken_in(tmp_path, [row(i, 0.9, 1) for i in range(20)])
    assert (report.imported, report.thinned, report.skipped) == (20, 20, {})
    assert report.most_stood_for == pytest.approx(10)
    assert len(rewards) == 20


def test_the_mean_of_what_is_taken_in_is_that_of_all_events_and_not_that_of_the_rows(tmp_path: Path) -> None:
    """1,000 rows that earn nothing and stand for one event each, 1,000 that earn 1 and stand for four: .8 of all events do.

    The share among those taken in has a standard deviation of .011: 4 of them are one false alarm in 16,000.
    """
    rows = [row(i, 0.75 if i % 2 else None, i % 2) for i in range(2_000)]
    report, rewards = taken_in(tmp_path, rows)
    assert sum(rewards) / len(rewards) == pytest.approx(0.8, abs=0.044)
    assert (report.thinned, report.most_stood_for) == (1_000, 4)
    assert report.skipped[LIGHTER].n == 2_000 - report.imported == 2_000 - len(rewards)
    world = read_log(tmp_path / "h.json").interactions
    assert sorted(world.reward.tolist()) == sorted(rewards)


def test_the_same_rows_are_left_out_again(tmp_path: Path) -> None:
    rows = [row(i, 0.75 if i % 2 else None, i) for i in range(200)]
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    assert sorted(taken_in(tmp_path / "one", rows)[1]) == sorted(taken_in(tmp_path / "two", rows[::-1])[1])


def test_a_row_that_is_refused_weighs_nothing(tmp_path: Path) -> None:
    report, _ = taken_in(tmp_path, [row(0, None, 1), {**row(1, 0.99, 1), "_labelIndex": 7}])
    assert (report.imported, report.most_stood_for) == (1, 1)


def test_a_feature_of_that_name_is_a_feature(tmp_path: Path) -> None:
    native = {"pdrop": 0.75, "actions": ["a"], "action": "a", "probability": 1, "reward": 1}
    report, _ = taken_in(tmp_path, [{**native, "pdrop": i / 100} for i in range(20)])
    assert (report.imported, report.thinned) == (20, 0)
