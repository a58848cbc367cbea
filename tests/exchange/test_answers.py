"""What another policy would have done, from a column of a file: an action, a distribution, or a sentence on rows that lack it."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rewardloop.errors import InvalidInput
from rewardloop.exchange.observing import observe_file

ROW = {"x": 1, "action": "a", "probability": 0.5, "reward": 1.0}


def written(directory: Path, *answers: object, **beside: object) -> Path:
    path = directory / "history.jsonl"
    rows = [ROW | beside | ({} if answer is None else {"new": answer}) for answer in answers]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("b", [0, 1]),
        ({"b": 0.75, "a": 0.25}, [0.25, 0.75]),
        ({"b": 1.0}, [0, 1]),
        ({"b": 1.0, "a": None}, [0, 1]),
        ('{"b": 1.0}', [0, 1]),
        ([0.25, 0.75], [0.25, 0.75]),
        ("[0.25, 0.75]", [0.25, 0.75]),
        ([0.2501, 0.7501], [0.2501 / 1.0002, 0.7501 / 1.0002]),
    ],
)
def test_an_id_or_a_distribution(tmp_path: Path, answer: object, expected: list[float]) -> None:
    log = observe_file(written(tmp_path, "a", answer), ["a", "b"], 10, answers=["new"])
    assert log.answers["new"].tolist() == pytest.approx([1, 0, *expected])


def test_it_is_no_part_of_the_context(tmp_path: Path) -> None:
    path = written(tmp_path, "a", "b")
    assert dict(observe_file(path, ["a", "b"], 10).interactions.contexts[0]) == {"x": 1, "new": "a"}
    assert dict(observe_file(path, ["a", "b"], 10, answers=["new"]).interactions.contexts[0]) == {"x": 1}


def test_what_was_logged_can_be_asked_as_a_policy(tmp_path: Path) -> None:
    log = observe_file(written(tmp_path, "a", "b", pmf=[0.5, 0.5]), ["a", "b"], 10, answers=["pmf", "action"])
    assert log.answers["pmf"].tolist() == log.interactions.pmf.tolist() == [0.5] * 4
    assert log.answers["action"].tolist() == [1, 0] * 2


def test_the_answers_are_those_of_the_newest_rows_and_of_the_rows_understood(tmp_path: Path) -> None:
    path = tmp_path / "history.parquet"
    rows = [ROW | {"new": {"a": i / 10, "b": 1 - i / 10}, "reward": None if i == 6 else 1.0} for i in range(8)]
    pq.write_table(pa.Table.from_pylist(rows), path)
    log = observe_file(path, ["a", "b"], 2, answers=["new"])
    assert log.answers["new"].tolist() == pytest.approx([0.5, 0.5, 0.7, 0.3])
    assert len(log) == 2


def test_numbers_are_ids_in_csv(tmp_path: Path) -> None:
    path = tmp_path / "history.csv"
    path.write_text("x,action,probability,reward,new,old\n1,2,0.5,1,1,2\n2,1,0.5,0,2,2\n")
    answers = observe_file(path, None, 10, answers=["new", "old"]).answers
    assert {name: pmf.tolist() for name, pmf in answers.items()} == {"new": [1, 0, 0, 1], "old": [0, 1, 0, 1]}


def test_a_list_needs_an_order(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"a list has an order where rows have `actions`"):
        observe_file(written(tmp_path, "a", [1.0]), None, 10, answers=["new"])
    path = written(tmp_path, [0.75, 0.25], actions=["b", "a"])
    assert observe_file(path, None, 10, answers=["new"]).answers["new"].tolist() == [0.75, 0.25]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (None, "got none"),
        ("c", "Unknown action `c`"),
        ({"c": 1.0}, r"Unknown action `c`.*\$\.new\.c"),
        ([0.5, 0.6], "2 probabilities that sum to 1"),
        ([1.5, -0.5], "2 probabilities that sum to 1"),
        (["x", 1], "2 probabilities that sum to 1"),
        ([1.0], "2 probabilities, one an action on offer, got 1"),
        ("{broken", r"JSON.*\$\.new"),
        (True, "the id of an action"),
    ],
)
def test_a_row_without_a_usable_answer_is_named_and_nothing_is_estimated(tmp_path: Path, answer: object, said: str) -> None:
    with pytest.raises(InvalidInput, match=rf"2 rows have none that can be used \(line 2, 4\).*{said}"):
        observe_file(written(tmp_path, "a", answer, "b", answer), ["a", "b"], 10, answers=["new"])


def test_a_column_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"Expected a column `nwe`, got .*did you mean `new`"):
        observe_file(written(tmp_path, "a"), ["a", "b"], 10, answers=["nwe"])


def test_decisions_over_slots_are_refused(tmp_path: Path) -> None:
    slot = {"_label_cost": -1.0, "_id": "main", "_a": [1, 0], "_p": [0.5, 0.5], "_o": []}
    event = {
        "Timestamp": "2021-04-26T17:23:28Z", "Version": "1", "EventId": "e1", "new": "a",
        "c": {"_multi": [{"_tag": "a"}, {"_tag": "b"}], "_slots": [{"_id": "main"}]}, "_outcomes": [slot],
    }  # fmt: skip
    path = tmp_path / "log.dsjson"
    path.write_text(json.dumps(event) + "\n")
    assert len(observe_file(path, None, 10)) == 1
    with pytest.raises(InvalidInput, match="one action of several, got slots - at `line 1`"):
        observe_file(path, None, 10, answers=["new"])
