"""A lake fed and joined every second for months keeps few files, and loses and doubles nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from builders import AT, decision, reward
from rewardloop.clock import SECOND
from rewardloop.lake import Lake
from rewardloop.lake.manifest import Part
from rewardloop.lake.merging import FULL_ROWS, due
from rewardloop.lake.storage import Storage
from rewardloop.settings import Duration, RewardSettings

RULES = RewardSettings(window=Duration(20 * SECOND))


def part(rows: int, name: str = "x") -> Part:
    return Part(kind="rewards", name=name, rows=rows, size=rows * 50, min_at=0, max_at=0)


@pytest.mark.parametrize("sizes", [(300,), (1, 5000), (1, 1, 1, 20, 300, 5, 70_000)])
def test_merging_bounds_the_number_of_parts_and_the_number_of_times_a_row_is_written(sizes: tuple[int, ...]) -> None:
    rows = 0
    parts: list[Part] = []
    written = most = 0
    for i in range(20_000):
        parts.append(part(sizes[i % len(sizes)], str(i)))
        rows += parts[-1].rows
        while len(run := due(parts)) > 1:
            start = parts.index(run[0])
            merged = part(sum(each.rows for each in run), f"{run[0].name}+")
            written += merged.rows
            parts[start : start + len(run)] = [merged]
        most = max(most, len(parts))
    assert sum(each.rows for each in parts) == rows
    assert most <= 130 + 2 * rows // FULL_ROWS
    assert written <= 6 * rows


def test_full_parts_are_left_alone() -> None:
    assert not due([part(FULL_ROWS)] * 40)
    assert len(due([part(FULL_ROWS), *[part(1)] * 16])) == 16


def test_many_small_appends_and_joins_are_one_data_set_in_few_files(tmp_path: Path) -> None:
    small, whole = Lake(tmp_path / "small", RULES), Lake(tmp_path / "whole", RULES)
    everything = []
    for i in range(60):
        at = AT + i * SECOND
        records = [decision(f"e{i}", decided_at=at), reward(f"e{i - 3}", i, rewarded_at=at), reward(f"e{i - 40}", rewarded_at=at)]
        small.append(records, b"%d" % i)
        small.join(at)
        everything += records
    whole.append(everything, b"all")
    end = AT + 200 * SECOND
    assert small.join(end).fingerprint == whole.join(end).fingerprint
    assert small.ledger == whole.ledger
    assert all(len(Storage(small.directory).manifest.of(kind)) < 32 for kind in ("decisions", "rewards", "labels", "unmatched"))
    (batch,) = small.dataset().interactions()
    assert len(set(batch.event_ids)) == 60
    assert [record.event_id for record in small.find("e7")] == ["e7"] * 3


def test_a_reader_that_began_before_a_merge_finishes_after_it(tmp_path: Path) -> None:
    lake = Lake(tmp_path, RULES)
    for i in range(15):
        lake.append([decision(f"e{i}", decided_at=AT + 30 * i * SECOND)], b"")
        lake.join(AT + (30 * i + 25) * SECOND)
    reading = lake.dataset().interactions(batch=1)
    seen = [next(reading).event_ids[0]]
    for i in range(15, 40):
        lake.append([decision(f"e{i}", decided_at=AT + 30 * i * SECOND)], b"")
        lake.join(AT + (30 * i + 25) * SECOND)
    assert len(Storage(tmp_path).manifest.of("labels")) < 20
    assert seen + [batch.event_ids[0] for batch in reading] == [f"e{i}" for i in range(15)]


def test_retired_files_are_deleted_in_the_end(tmp_path: Path) -> None:
    lake = Lake(tmp_path, RULES)
    for i in range(320):
        lake.append([reward(f"e{i}")], b"")
    assert len(list(tmp_path.glob("rewards-*.parquet"))) <= 256 + 40
    assert (tmp_path / "rewards-0000000000.parquet").exists() is False
