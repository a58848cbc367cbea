"""Warm start from every format: each row is taken in or accounted for, with its line."""

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
from rewardloop.exchange.importing import ImportReport, Skipped, import_file
from rewardloop.ids import draws
from rewardloop.interactions import Interactions
from rewardloop.lake import Lake
from rewardloop.settings import Duration, RewardSettings

ARMS = ("a", "b", "c")
NATIVE = {"context": {"age": 31}, "action": "b", "probability": 0.5, "reward": 1.0}
DSJSON = {
    "_label_cost": -1.0, "_label_probability": 0.8500000238, "_label_Action": 2, "_labelIndex": 1, "EventId": "e1",
    "Timestamp": "2021-02-04T16:31:29.2460000Z", "a": [2, 1], "p": [0.85, 0.15], "pdrop": 0.5,
    "c": {"user": [{"name": "Cathy", "_age": 3}], "_multi": [{"_tag": "tea", "i": {"id": "x"}, "j": [{"hot": 1}]}, {"id": "milk"}]},
}  # fmt: skip


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "offers" / "lake", RewardSettings(window=Duration(60 * SECOND)))


def lines(path: Path, *rows: object) -> Path:
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return path


def taken_in(lake: Lake) -> Interactions:
    (batch,) = lake.join(AT + SECOND).interactions()
    return batch


def by_id(batch: Interactions, event_id: str) -> int:
    return list(batch.event_ids).index(event_id)


def test_native_rows_become_closed_events(lake: Lake, tmp_path: Path) -> None:
    full = {**NATIVE, "event_id": "e7", "pmf": [0.2, 0.5, 0.3], "sample_prob": 0.75, "timestamp": "2023-01-01T00:00:00Z"}
    report = import_file(lake, lines(tmp_path / "h.jsonl", full, {**NATIVE, "reward": 0}), ARMS, AT)
    assert report == ImportReport(rows=2, imported=2)
    batch = taken_in(lake)
    row, other = by_id(batch, "e7"), 1 - by_id(batch, "e7")
    assert batch.contexts == [{"age": 31}] * 2
    assert (batch.action[row], batch.probability[row], batch.reward[row], batch.sample_prob[row]) == (1, 0.5, 1.0, 0.75)
    assert list(batch.pmf[batch.offsets[row] : batch.offsets[row + 1]]) == [0.2, 0.5, 0.3]
    assert np.isnan(batch.pmf[batch.offsets[other] : batch.offsets[other + 1]]).all()
    assert batch.sample_prob[other] == draws("offers", batch.event_ids[other]).sample_prob
    assert (batch.closed_at == AT).all()
    assert (lake.ledger.with_reward, lake.ledger.rewards_counted, lake.ledger.late_commits) == (2, 2, 0)


def test_csv_columns_that_are_not_reserved_are_the_context(lake: Lake, tmp_path: Path) -> None:
    path = lines(tmp_path / "h.csv", "age,device,action,reward,action_prob", "31,ios,a,1,0.25", ",web,c,0,0.5", '7,"x, y",b,0.5,1')
    assert import_file(lake, path, ARMS, AT).imported == 3
    batch = taken_in(lake)
    assert sorted(batch.contexts, key=lambda context: str(context["device"])) == [
        {"age": 31, "device": "ios"}, {"device": "web"}, {"age": 7, "device": "x, y"},
    ]  # fmt: skip


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_the_joined_rows_of_2019_count_their_actions_from_one(lake: Lake, tmp_path: Path, suffix: str) -> None:
    row = {"reward": 1, "event_id": "12345678901234567890123", "action": 2, "action_prob": 0.9, "model_id": "m", "sample_prob": 0.4}
    if suffix == "csv":
        path = lines(tmp_path / "h.csv", ",".join([*row, "observation"]), ",".join([*map(str, row.values()), '"[1, 2.5]"']))
    else:
        path = lines(tmp_path / "h.jsonl", {**row, "event_id": int(row["event_id"]), "observation": [1, 2.5]})
    assert import_file(lake, path, ("1", "2", "3"), AT).imported == 1
    batch = taken_in(lake)
    assert batch.contexts == [{"observation[0]": 1, "observation[1]": 2.5}]
    assert batch.actions[0].ids[batch.action[0]] == "2"
    assert batch.event_ids == ["12345678901234567890123"]


def test_parquet_rows(lake: Lake, tmp_path: Path) -> None:
    pq.write_table(pa.Table.from_pylist([{"age": 31, "action": "a", "reward": 0.5, "probability": 0.25}] * 3), tmp_path / "h")
    assert import_file(lake, tmp_path / "h", ARMS, AT).imported == 3
    assert taken_in(lake).contexts == [{"age": 31}] * 3


def test_dsjson_costs_turn_round_and_its_pmf_is_put_in_the_order_of_the_actions(lake: Lake, tmp_path: Path) -> None:
    report = import_file(lake, lines(tmp_path / "h.json", DSJSON), None, AT)
    assert report == ImportReport(rows=1, imported=1, thinned=1, most_stood_for=2.0)
    batch = taken_in(lake)
    assert batch.contexts == [{"user.name": "Cathy"}]
    assert batch.actions[0].ids == ("tea", "milk")
    assert batch.actions[0].features == ({"j.hot": 1}, {})
    assert (batch.action[0], batch.reward[0], batch.probability[0], list(batch.pmf)) == (1, 1.0, 0.85, [0.15, 0.85])


def test_a_missing_probability_is_the_frequency_of_the_action_and_said_so(lake: Lake, tmp_path: Path) -> None:
    blind = [{"context": {"i": i}, "action": "a" if i % 4 else "b", "reward": 0} for i in range(8)]
    report = import_file(lake, lines(tmp_path / "h.jsonl", NATIVE, *blind, {**NATIVE, "reward": 0.5}), ARMS, AT)
    assert report == ImportReport(rows=10, imported=10, probability_estimated=8)
    batch = taken_in(lake)
    expected = {0: 0.75, 1: 0.25}
    blind_rows = [row for row in range(10) if "i" in batch.contexts[row]]
    assert len(blind_rows) == 8
    assert all(batch.probability[row] == expected[int(batch.action[row])] for row in blind_rows)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("{not json", "not JSON"),
        ("[1]", "a list, not an event"),
        ({**NATIVE, "action": "d"}, "Unknown action `d`"),
        ({**NATIVE, "action": None}, "Expected the id of an action - at `$.action`"),
        ({**NATIVE, "reward": "x"}, "Expected a number - at `$.reward`"),
        ('{"context": {}, "action": "a", "probability": 0.5, "reward": 1e999}', "Expected a finite number - at `$.reward`"),
        ('{"context": {}, "action": "a", "probability": 0.5, "reward": NaN}', "Expected a finite number - at `$.reward`"),
        (
            '{"context": {}, "action": "a", "probability": NaN, "reward": 1}',
            "Expected a finite number from 0 to 1 - at `$.probability`",
        ),
        ('{"context": {}, "action": "a", "probability": 0.5}', "Expected a number, got none - at `$.reward`"),
        ({**NATIVE, "probability": 0}, "Expected a probability above 0"),
        ({**NATIVE, "probability": 1.5}, "Expected a finite number from 0 to 1 - at `$.probability`"),
        ({**NATIVE, "pmf": [0.2, 0.2, 0.2]}, "Expected 3 probabilities that sum to 1"),
        ({**NATIVE, "pmf": [0.5, 0.2, 0.3]}, "Expected `pmf` to hold the probability of the action"),
        ({**NATIVE, "context": {"_x": 1}}, "Expected a key that does not begin with `_`"),
        ({**NATIVE, "context": [1]}, "Expected an object, got an array - at `$.context`"),
        ({**NATIVE, "event_id": ""}, "Expected an event id of 1 to 256 characters"),
        ({**NATIVE, "timestamp": "yesterday"}, "Expected an instant - at `$.timestamp`"),
        ({**DSJSON, "pdrop": 1}, "Expected a share of dropped events, from 0 to less than 1 - at `$.pdrop`"),
        (
            {**DSJSON, "_label_ca": {"action": 3.5, "pdf_value": 0.5, "cost": 0}},
            "Expected a discrete action: a continuous one needs",
        ),
        ({**DSJSON, "_labelIndex": 7}, "Expected the index of an action"),
        ({**DSJSON, "_skipLearn": True}, "Marked as not to be learned from"),
        ({"EventId": "e9", "RewardValue": 1.0, "EnqueuedTimeUtc": "2021-02-04T16:31:29Z"}, "A dangling reward"),
        ({"checkpoint": 7}, "A checkpoint of the service"),
    ],
)
def test_a_row_that_cannot_be_used_is_counted_with_its_reason_and_line(
    lake: Lake, tmp_path: Path, row: object, reason: str
) -> None:
    report = import_file(lake, lines(tmp_path / "h.jsonl", NATIVE, row, row, NATIVE), ARMS, AT)
    ((said, skipped),) = report.skipped.items()
    assert said.startswith(reason)
    assert skipped == Skipped(2, 2)
    assert (report.rows, report.imported) == (4, 2)


def test_rows_without_actions_need_an_experiment_with_fixed_ones(lake: Lake, tmp_path: Path) -> None:
    own = {**NATIVE, "actions": [{"id": "b", "features": {"price": 3}}, {"id": "z"}]}
    report = import_file(lake, lines(tmp_path / "h.jsonl", NATIVE, own), None, AT)
    assert (report.imported, next(iter(report.skipped))) == (
        1,
        "Expected `actions`, as the experiment has no fixed ones; got none - at `$.actions`",
    )
    assert taken_in(lake).actions[0].features == ({"price": 3}, {})


def test_reasons_are_bounded(lake: Lake, tmp_path: Path) -> None:
    report = import_file(lake, lines(tmp_path / "h.jsonl", *({**NATIVE, "action": f"z{i}"} for i in range(200))), ARMS, AT)
    assert len(report.skipped) == 51
    assert sum(skipped.n for skipped in report.skipped.values()) == report.rows == 200


def test_importing_again_after_a_kill_adds_only_what_was_missing(lake: Lake, tmp_path: Path) -> None:
    rows = [{**NATIVE, "reward": i} for i in range(5)]
    import_file(lake, lines(tmp_path / "h.jsonl", *rows[:3]), ARMS, AT)
    report = import_file(lake, lines(tmp_path / "h.jsonl", *rows), ARMS, AT + 5)
    assert (report.imported, report.skipped) == (2, {"an event id that the lake has already": Skipped(3, 1)})
    assert sorted(taken_in(lake).reward) == [0, 1, 2, 3, 4]
    assert lake.ledger.rewards_received == lake.ledger.rewards_counted == 5


def test_history_taken_in_later_joins_after_what_is_closed(lake: Lake, tmp_path: Path) -> None:
    lake.append([decision("e1"), reward("e1")], b"1")
    closed = lake.join(AT + 90 * SECOND)
    import_file(lake, lines(tmp_path / "h.jsonl", NATIVE), ARMS, AT)
    assert lake.join(AT + 100 * SECOND).n == 2
    assert lake.dataset(closed.watermark).fingerprint == closed.fingerprint
    assert lake.cursor == b"1"


def test_files_that_cannot_be_read_at_all(lake: Lake, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="Cannot read"):
        import_file(lake, tmp_path / "none", ARMS, AT)
    with pytest.raises(InvalidInput, match="JSON array"):
        import_file(lake, lines(tmp_path / "array.json", [NATIVE]), ARMS, AT)
    with pytest.raises(InvalidInput, match="distinct column names"):
        import_file(lake, lines(tmp_path / "h.csv", "a,a", "1,2"), ARMS, AT)
    (tmp_path / "cut.parquet").write_bytes(b"PAR1 and nothing else")
    with pytest.raises(InvalidInput, match="Expected a Parquet file"):
        import_file(lake, tmp_path / "cut.parquet", ARMS, AT)


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("age,reward,probability", "Expected a column `action`, got `age`, `reward`, `probability`"),
        ("age,action,probability", "Expected a column `reward`"),
        ("age,Action,reward", "rename `Action`"),
        ("age,action,rewards", "rename `rewards`"),
        ("age;action;reward", "not by semicolons"),
        ("age\taction\treward", "not by tabs"),
    ],
)
def test_a_table_without_what_every_row_needs_is_refused_once(lake: Lake, tmp_path: Path, header: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        import_file(lake, lines(tmp_path / "h.csv", header, "1,a,1"), ARMS, AT)
    table = pa.table({name: ["1"] for name in header.split(",")})
    pq.write_table(table, tmp_path / "h.parquet")
    with pytest.raises(InvalidInput, match=said):
        import_file(lake, tmp_path / "h.parquet", ARMS, AT)


def test_a_csv_row_of_another_width_is_counted(lake: Lake, tmp_path: Path) -> None:
    path = lines(tmp_path / "h.csv", "age,action,reward,probability", "1,a,1,0.5", "1,a,1", "1,a,nan,0.5")
    report = import_file(lake, path, ARMS, AT)
    assert report.skipped == {
        "another number of columns than the first line": Skipped(1, 3),
        "Expected a number, got none - at `$.reward`": Skipped(1, 4),
    }


def test_a_log_of_the_decision_service_may_begin_with_a_checkpoint(lake: Lake, tmp_path: Path) -> None:
    report = import_file(
        lake, lines(tmp_path / "h.json", '["checkpoint", 7]', DSJSON, {"EventId": "e2", "o": [{"v": 1}]}), None, AT
    )
    assert (report.rows, report.imported) == (3, 1)
    assert [skipped.n for skipped in report.skipped.values()] == [1, 1]


def test_rows_of_several_experiments_are_not_taken_in_as_one(lake: Lake, tmp_path: Path) -> None:
    path = lines(tmp_path / "h.jsonl", *({**NATIVE, "event_id": f"e{i}", "experiment": "xy"[i > 2]} for i in range(5)))
    with pytest.raises(InvalidInput, match="got those of 2: `x`"):
        import_file(lake, path, ARMS, AT)
    report = import_file(lake, path, ARMS, AT, "y")
    assert (report.rows, report.imported) == (5, 2)
    assert report.skipped == {"of another experiment than the one asked for": Skipped(3, 1)}
    assert sorted(taken_in(lake).event_ids) == ["e3", "e4"]
    with pytest.raises(NotFound, match="names the experiment `z`"):
        import_file(lake, path, ARMS, AT, "z")


def test_the_experiment_that_a_row_names_is_no_feature_of_its_context(lake: Lake, tmp_path: Path) -> None:
    import_file(lake, lines(tmp_path / "h.csv", "age,action,probability,reward,experiment", "31,b,0.5,1,offers"), ARMS, AT)
    assert list(taken_in(lake).contexts[0]) == ["age"]
