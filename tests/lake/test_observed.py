"""What the doctor sees of a lake and of a file: everything that was logged, faults included, every row that is left out counted."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from builders import AT, decision, reward
from rewardloop.clock import SECOND
from rewardloop.errors import InvalidInput, NotFound
from rewardloop.exchange.observing import observe_file
from rewardloop.lake import Lake
from rewardloop.lake.observed import NEVER, Refused, observe
from rewardloop.settings import Duration, RewardSettings

MINUTE = 60 * SECOND
ROW = {"x": 1.5, "action": "b", "probability": 0.5, "reward": 1.0}


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "offers" / "lake", RewardSettings(window=Duration(MINUTE)))


def test_a_lake_as_of_its_last_join(lake: Lake) -> None:
    late = decision("e2", decided_at=AT + 5 * SECOND, model_id="offers.2", explore=False)
    lake.append([decision("e1"), late, decision("e3", decided_at=AT + SECOND), reward("e1"), reward("e2")], b"1")
    lake.append([reward("e1", 0.5, rewarded_at=AT + 20 * SECOND)], b"2")
    lake.join(AT + 2 * MINUTE)
    seen = observe(lake.directory, 10)
    rows = {event_id: i for i, event_id in enumerate(seen.interactions.event_ids)}
    order = [rows[name] for name in ("e1", "e2", "e3")]
    assert [seen.model_ids[i] for i in order] == ["offers.1", "offers.2", "offers.1"]
    assert seen.explored[order].tolist() == [True, False, True]
    assert (seen.decided_at[order] - AT).tolist() == [0, 5 * SECOND, SECOND]
    assert seen.rewarded_at[order].tolist() == [AT + 20 * SECOND, AT + 30 * SECOND, NEVER]
    assert seen.interactions.reward[order].tolist() == [0.5, 1.0, 0.0]
    assert (seen.window, seen.settled_until, seen.n_older) == (MINUTE, AT + MINUTE, 0)
    assert seen.ledger == lake.ledger


def test_only_the_newest_and_how_many_are_older(lake: Lake) -> None:
    lake.append([decision(f"e{i}", decided_at=AT + i) for i in range(10)], b"1")
    lake.join(AT + 2 * MINUTE)
    seen = observe(lake.directory, 4)
    assert (list(seen.interactions.event_ids), seen.n_older) == (["e6", "e7", "e8", "e9"], 6)


def test_what_is_not_joined_is_not_seen_and_nothing_is_made(lake: Lake) -> None:
    assert len(observe(lake.directory, 4)) == 0
    assert not lake.directory.exists()
    lake.append([decision("e1")], b"1")
    assert len(observe(lake.directory, 4)) == 0


def test_a_file_tells_its_refused_rows_by_reason_and_line(tmp_path: Path) -> None:
    rows: list[object] = [
        ROW,
        {**ROW, "probability": 0},
        {**ROW, "probability": 0},
        {**ROW, "reward": None},
        {**ROW, "action": None},
    ]
    path = tmp_path / "history.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows) + "{broken\n")
    seen = observe_file(path, ["a", "b"], 10)
    assert len(seen) == 1
    assert sum(refused.n for refused in seen.refused.values()) == 5
    assert seen.refused["not JSON"] == Refused(1, (6,))
    (zero,) = [refused for reason, refused in seen.refused.items() if "probability of 0" in reason or "above 0" in reason]
    assert zero == Refused(2, (2, 3))


def test_missing_probabilities_stay_missing(tmp_path: Path) -> None:
    path = tmp_path / "history.csv"
    path.write_text("x,action,probability,reward\n1,a,0.5,1\n2,b,,0\n")
    seen = observe_file(path, None, 10)
    assert np.isnan(seen.interactions.probability).tolist() == [False, True]
    assert seen.refused == {}


def test_arms_that_nobody_names_are_all_that_occur(tmp_path: Path) -> None:
    path = tmp_path / "history.csv"
    path.write_text("x,action,probability,reward\n1,2,0.5,1\n2,1,0.5,0\n3,10,0.5,0\n")
    assert observe_file(path, None, 10).interactions.actions[0].ids == ("1", "10", "2")
    assert len({id(actions) for actions in observe_file(path, None, 10).interactions.actions}) == 1


def test_rows_with_their_own_actions_share_what_is_the_same(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    path.write_text("".join(json.dumps({**ROW, "actions": ["a", "b"], "pmf": [0.5, 0.5]}) + "\n" for _ in range(3)))
    seen = observe_file(path, None, 10).interactions
    assert len({id(actions) for actions in seen.actions}) == 1
    assert seen.pmf.tolist() == [0.5] * 6


def test_the_last_rows_of_a_long_file(tmp_path: Path) -> None:
    path = tmp_path / "history.parquet"
    pq.write_table(
        pa.table({"x": range(50), "event_id": [f"e{i}" for i in range(50)], "action": ["a"] * 50, "reward": [1.0] * 50}), path
    )
    seen = observe_file(path, ["a", "b"], 10)
    assert (seen.interactions.event_ids[0], len(seen), seen.n_older, seen.has_event_ids) == ("e40", 10, 40, True)
    assert seen.has_sample_prob is False


def test_experiments_that_rows_name_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    path.write_text("".join(json.dumps({**ROW, "experiment": name}) + "\n" for name in ("offers", "banners", "offers")))
    assert observe_file(path, None, 10).experiments == {"offers": 2, "banners": 1}


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"Cannot read .*none\.csv"):
        observe_file(tmp_path / "none.csv", None, 10)
    many = tmp_path / "many.csv"
    many.write_text("action,reward\n" + "".join(f"a{i},1\n" for i in range(1_001)))
    with pytest.raises(InvalidInput, match="a column `actions`"):
        observe_file(many, None, 10)
