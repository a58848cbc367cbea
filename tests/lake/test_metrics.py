"""Metrics of rewards through the lake: late ones do not count, slots have those of their event, older lakes have none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from builders import AT, decision, ranking, reward
from rewardloop.clock import SECOND
from rewardloop.events import Record
from rewardloop.lake import Lake
from rewardloop.lake.manifest import read_manifest
from rewardloop.settings import Duration, RewardSettings

MINUTE = 60 * SECOND
RULES = RewardSettings(window=Duration(MINUTE), aggregation="sum")


def costs(lake: Lake, **how: object) -> dict[str, float]:
    found: dict[str, float] = {}
    for batch in lake.dataset().interactions(metrics=["cost"], **how):  # type: ignore[arg-type]
        found |= dict(zip(batch.event_ids, batch.metrics["cost"].tolist(), strict=True))
    return found


def test_the_mean_of_those_that_count_and_none_of_the_late(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake", RULES)
    told: list[Record] = [
        reward("e1", rewarded_at=AT + SECOND, metrics=(("cost", 1.0),)),
        reward("e1", rewarded_at=AT + 2 * SECOND, metrics=(("cost", 2.0), ("ms", 9.0))),
        reward("e1", rewarded_at=AT + 2 * MINUTE, metrics=(("cost", 100.0),)),
        reward("e2", rewarded_at=AT + SECOND),
    ]
    lake.append([decision("e1"), decision("e2"), *told], b"1")
    lake.join(AT + 10 * MINUTE)
    assert costs(lake) == {"e1": 1.5, "e2": pytest.approx(np.nan, nan_ok=True)}
    assert costs(lake, newest=1) == {name: cost for name, cost in costs(lake).items() if name in costs(lake, newest=1)}
    assert not next(iter(lake.dataset().interactions())).metrics


def test_each_slot_of_an_event_has_the_metrics_told_of_the_event(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "offers" / "lake", RULES)
    lake.append([reward("e1", rewarded_at=AT + SECOND, metrics=(("cost", 3.0),))], b"0")
    lake.append([ranking("e1")], b"1")
    lake.join(AT + 10 * MINUTE)
    assert list(costs(lake).values()) == [3.0, 3.0]


def test_an_event_is_found_with_what_it_carries(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "offers" / "lake", RULES)
    told = reward("e1", metrics=(("cost", 3.0),))
    lake.append([decision("e1"), told], b"1")
    assert lake.find("e1")[1].metrics == told.metrics  # type: ignore[union-attr]


def test_a_lake_written_before_there_were_metrics_is_read_joined_and_merged(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "offers" / "lake", RULES)
    for n in range(3):
        lake.append([decision(f"old{n}"), reward(f"old{n}")], b"%d" % n)
    for part in read_manifest(lake.directory).of("rewards"):
        path = lake.directory / part.name
        pq.write_table(pq.read_table(path).drop_columns(["metrics"]), path)
    assert Lake(lake.directory, RULES).find("old1")[1] == reward("old1")
    lake.join(AT + SECOND)
    for n in range(14):
        lake.append([decision(f"new{n}"), reward(f"new{n}", metrics=(("cost", float(n)),))], b"1%d" % n)
    lake.join(AT + 10 * MINUTE)
    assert len(read_manifest(lake.directory).of("rewards")) < 16
    found = costs(lake)
    assert np.isnan([found[f"old{n}"] for n in range(3)]).all()
    assert [found[f"new{n}"] for n in range(14)] == list(range(14))
