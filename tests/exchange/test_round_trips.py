"""What is exported is imported again as it was, as far as each format's words reach."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from vowpalwabbit import Workspace

from builders import AT, learned_from
from rewardloop.clock import SECOND
from rewardloop.events import Decision, Reward
from rewardloop.exchange import export_file, format_of, import_file
from rewardloop.exchange.reading import read_rows
from rewardloop.interactions import Interactions
from rewardloop.lake import DataSet, Lake
from rewardloop.settings import Duration, RewardSettings

ARMS = ("1", "2", "3")
FIXED = b'["1","2","3"]'
FEATURED = b'[{"id":"tea","features":{"price":3.5,"hot":1}},{"id":"iced tea","features":{"price":4.0,"name":"a: b|c"}}]'
CONTEXTS = {
    "rich": [b'{"user": {"age": %d, "city": "new york"}, "vip": true}' % age for age in range(20)],
    "numbers": [b'{"observation": [%d, 0.5]}' % age for age in range(20)],
}
EVERYTHING = ("jsonl", "csv", "parquet", "dsjson")


def told(directory: Path, contexts: list[bytes], actions: bytes = FIXED) -> DataSet:
    """A lake whose events have distinct rewards, closed by them."""
    lake = Lake(directory / "offers" / "lake", RewardSettings(window=Duration(60 * SECOND)))
    pmf = (0.25, 0.5, 0.25) if actions is FIXED else (0.25, 0.75)
    records: list[Decision | Reward] = []
    for i, context in enumerate(contexts):
        event_id, action = f"order {i}:a|b", i % len(pmf)
        records.append(Decision(event_id, "offers", "offers.3", AT + i, context, actions, pmf, action, pmf[action], i, i / 100))
        records.append(Reward(event_id, "offers", i / 8 - 1, AT + SECOND + i))
    lake.append(records, b"1")
    return lake.join(AT + 100 * SECOND)


def back(directory: Path, path: Path, arms: tuple[str, ...] | None) -> Interactions:
    lake = Lake(directory / "offers" / "again", RewardSettings(window=Duration(60 * SECOND)))
    report = import_file(lake, path, arms, AT + 200 * SECOND)
    assert (report.imported, report.skipped) == (report.rows, {})
    return one(lake.join(AT + 300 * SECOND))


def one(data: DataSet) -> Interactions:
    (batch,) = data.interactions()
    return batch


def rows(batch: Interactions) -> dict[str, tuple[object, ...]]:
    return learned_from([batch], digits=7)


@pytest.mark.parametrize("actions", [FIXED, FEATURED])
@pytest.mark.parametrize("name", EVERYTHING)
def test_every_event_comes_back_as_it_was(tmp_path: Path, name: str, actions: bytes) -> None:
    data = told(tmp_path, CONTEXTS["rich"], actions)
    path = tmp_path / f"events.{name}"
    report = export_file(data, path, format_of(path, None))
    assert (report.events, report.written, report.refused) == (20, 20, 0)
    again = back(tmp_path, path, ARMS if actions is FIXED else None)
    assert rows(again) == rows(one(data))
    assert np.allclose(sorted(again.pmf), sorted(one(data).pmf))


@pytest.mark.parametrize("name", ["jsonl", "csv", "parquet"])
def test_the_split_into_training_and_evaluation_comes_back(tmp_path: Path, name: str) -> None:
    data = told(tmp_path, CONTEXTS["rich"])
    export_file(data, tmp_path / "events", format_of(tmp_path / "events", name))
    again = back(tmp_path, tmp_path / "events", ARMS)
    assert dict(zip(again.event_ids, again.sample_prob, strict=True)) == {f"order {i}:a|b": i / 100 for i in range(20)}


def test_2019s_joined_rows_come_back(tmp_path: Path) -> None:
    data = told(tmp_path, CONTEXTS["numbers"])
    path = tmp_path / "joined.csv"
    export_file(data, path, format_of(path, "sagemaker-2019"))
    assert path.read_text().splitlines()[0] == "reward,event_id,action,action_prob,model_id,observation,sample_prob"
    assert rows(back(tmp_path, path, ARMS)) == rows(one(data))


def test_obps_arrays_come_back(tmp_path: Path) -> None:
    data = told(tmp_path, CONTEXTS["rich"])
    path = tmp_path / "feedback.npz"
    export_file(data, path, format_of(path, None))
    with np.load(path, allow_pickle=False) as arrays:
        assert (int(arrays["n_rounds"]), int(arrays["n_actions"]), arrays["pi_b"].shape) == (20, 3, (20, 3, 1))
        assert list(arrays["feature_names"][:2]) == ["user.age", "user.city=new york"]
    again, before = rows(back(tmp_path, path, ARMS)), rows(one(data))
    assert {key: row[1:] for key, row in again.items()} == {key: row[1:] for key, row in before.items()}
    assert again["order 7:a|b"][0] == {"user.age": 7, "user.city=new york": 1, "vip": 1}


@pytest.mark.parametrize("actions", [FIXED, FEATURED])
def test_vw_text_comes_back_with_words_as_indicators(tmp_path: Path, actions: bytes) -> None:
    data = told(tmp_path, CONTEXTS["rich"], actions)
    path = tmp_path / "events.txt"
    export_file(data, path, format_of(path, None))
    again, before = rows(back(tmp_path, path, ARMS if actions is FIXED else None)), rows(one(data))
    assert again.keys() == before.keys()
    assert {key: (row[1], *row[3:]) for key, row in again.items()} == {key: (row[1], *row[3:]) for key, row in before.items()}
    assert again["order 7:a|b"][0] == {"user.age": 7, "user.city=new york": 1, "vip": 1}
    if actions is FEATURED:
        assert again["order 7:a|b"][2] == ({"price": 3.5, "hot": 1}, {"price": 4, "name=a: b|c": 1})


@pytest.mark.parametrize(("actions", "arguments"), [(FIXED, "--cb 3"), (FEATURED, "--cb_adf")])
def test_vowpal_wabbit_reads_its_text_as_it_was_meant(tmp_path: Path, actions: bytes, arguments: str) -> None:
    data = told(tmp_path, CONTEXTS["rich"], actions)
    path = tmp_path / "events.txt"
    export_file(data, path, format_of(path, None))
    vw = Workspace(f"{arguments} --quiet -d {path}")
    seen, loss = vw.get_weighted_examples(), vw.get_sum_loss()
    vw.finish()
    assert seen == 20
    assert np.isfinite(loss)


def test_the_open_bandit_columns_come_back(tmp_path: Path) -> None:
    contexts = [b'{"user_feature_0": "u%d", "position": %d}' % (i, 1 + i % 3) for i in range(20)]
    data = told(tmp_path, contexts)
    path = tmp_path / "all.csv"
    export_file(data, path, format_of(path, "open-bandit"))
    read = [row.values for row in read_rows(path) if row.values]
    assert [row["context"] for row in read] == [{"position": 1 + i % 3, "user_feature_0": f"u{i}"} for i in range(20)]
    assert [row["action"] for row in read] == [str(i % 3) for i in range(20)]
    assert [row["reward"] for row in read] == [i / 8 - 1 for i in range(20)]


def test_open_bandit_items_lie_beside_the_log(tmp_path: Path) -> None:
    header = ",timestamp,item_id,position,click,propensity_score,user_feature_0,user-item_affinity_0"
    (tmp_path / "all.csv").write_text(f"{header}\n0,2019-11-24 00:00:15.004101+00:00,1,3,1,0.25,81ce,0.5\n")
    (tmp_path / "item_context.csv").write_text(",item_id,item_feature_0\n0,0,-0.5\n1,1,abc\n")
    again = back(tmp_path, tmp_path / "all.csv", None)
    assert again.actions[0].ids == ("0", "1")
    assert again.actions[0].features == ({"item_feature_0": -0.5}, {"item_feature_0": "abc"})
    assert again.contexts == [{"position": 3, "user_feature_0": "81ce", "user-item_affinity_0": 0.5}]
    assert (again.action[0], again.probability[0], again.reward[0]) == (1, 0.25, 1)


def test_words_come_back_from_joined_rows(tmp_path: Path) -> None:
    data = told(tmp_path, [b'{"observation[0]": "red, or \\"blue\\"", "observation[1]": %d}' % i for i in range(3)])
    export_file(data, tmp_path / "joined.csv", format_of(tmp_path / "joined.csv", "sagemaker-2019"))
    assert rows(back(tmp_path, tmp_path / "joined.csv", ARMS)) == rows(one(data))


def test_what_a_format_cannot_hold_is_counted_and_the_rest_written(tmp_path: Path) -> None:
    data = told(tmp_path, CONTEXTS["numbers"][:10], FEATURED)
    report = export_file(data, tmp_path / "joined.csv", format_of(tmp_path / "joined.csv", "sagemaker-2019"))
    assert (report.events, report.written, report.refused) == (10, 0, 10)
    assert report.first_refusal.startswith("Expected fixed actions, got some with features in event `order 0:a|b`")
    assert len((tmp_path / "joined.csv").read_text().splitlines()) == 1
