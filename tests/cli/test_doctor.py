"""`doctor` and `power`: over a live experiment and over files of every kind; the exit code tells an error from a warning."""

from __future__ import annotations

import csv
import json
import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

ARMS = ("red", "green", "blue")


def history(n: int = 600) -> list[dict[str, object]]:
    """Uniform decisions; green is right for the young, red for the others."""
    generator = random.Random(0)
    rows = []
    for i in range(n):
        age, arm = generator.randint(18, 80), generator.randrange(3)
        worth = 0.8 if ARMS[arm] == ("green" if age < 40 else "red") else 0.2
        rows.append({
            "event_id": f"e{i}", "timestamp": 1_700_000_000 + i, "age": age, "action": ARMS[arm], "probability": 1 / 3,
            "reward": float(generator.random() < worth),
        })  # fmt: skip
    return rows


def dsjson(row: dict[str, object]) -> dict[str, object]:
    index = ARMS.index(str(row["action"]))
    return {
        "_label_cost": -float(str(row["reward"])), "_label_probability": 1 / 3, "_labelIndex": index, "_label_Action": index + 1,
        "EventId": row["event_id"], "Timestamp": "2023-11-14T22:13:20Z", "a": [index + 1, *(i + 1 for i in range(3) if i != index)],
        "p": [1 / 3] * 3, "c": {"age": row["age"], "_multi": [{"id": arm} for arm in ARMS]},
    }  # fmt: skip


def write(rows: list[dict[str, object]], path: Path) -> str:
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    elif path.suffix == ".csv":
        with path.open("w", newline="") as file:
            table = csv.DictWriter(file, list(rows[0]))
            table.writeheader()
            table.writerows(rows)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path.name


@pytest.mark.parametrize("name", ["h.csv", "h.jsonl", "h.parquet", "h.dsjson", "h"])
def test_a_healthy_file_of_every_kind(rewardloop, tmp_path, name):
    rows = [dsjson(row) for row in history()] if name.endswith("dsjson") else history()
    ran = rewardloop("doctor", write(rows, tmp_path / name), "--json")
    assert (ran.code, ran.err) == (0, "")
    found = ran.json
    assert (found["n"], found["n_usable"], found["severity"]) == (600, 600, "note")
    assert found["learnability"]["learnable"] is True
    assert found["learnability"]["best_arm"] == "red"
    assert [path.name for path in tmp_path.iterdir()] == [name], "nothing is left behind"


def test_what_is_wrong_is_told_with_what_it_biases_and_what_to_do(rewardloop, tmp_path):
    rows = history()
    for row in rows[100:200]:
        row["probability"] = 0
    ran = rewardloop("doctor", write(rows, tmp_path / "h.csv"))
    assert ran.code == 1
    assert "✗ 100 of 600 rows were left out: 100 × expected a probability above 0" in ran.out
    assert "First: line 102, line 103" in ran.out
    assert "biases" in ran.out
    assert "1 error" in ran.out
    assert "What this log says is to be gained (500 events)" in ran.out


def test_warnings_alone_are_no_failure(rewardloop, tmp_path):
    rows = history()
    for i, row in enumerate(rows):
        row["age"] = float(str(row["age"])) + (50 if i >= 300 else 0)
    ran = rewardloop("doctor", write(rows, tmp_path / "h.csv"))
    assert ran.code == 0
    assert "! 1 of 1 features moved" in ran.out
    assert "1 warning" in ran.out


def test_arms_never_taken_are_known_from_the_option(rewardloop, tmp_path):
    file = write(history(), tmp_path / "h.csv")
    assert "hardly ever taken" not in rewardloop("doctor", file).out
    told = rewardloop("doctor", file, "--actions", "red,green,blue,violet").out
    assert "`violet` 0 of 600" in told


def test_the_newest_events_only(rewardloop, tmp_path):
    found = rewardloop("doctor", write(history(), tmp_path / "h.csv"), "--events", "200", "--json").json
    assert (found["n"], found["n_older"]) == (200, 400)


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        ("", 2, "got an empty file"),
        ("\n", 2, "got an empty line"),
        ("action,probability,reward\n", 1, "The log is empty."),
        ("action,probability,reward\na,2,1\nb,0,1\n", 1, "None of the 2 rows can be read as an event."),
    ],
)
def test_a_file_without_rows(rewardloop, tmp_path, content, code, said):
    (tmp_path / "h.csv").write_text(content)
    ran = rewardloop("doctor", "h.csv")
    assert ran.code == code
    assert said in ran.out + ran.err


def test_a_target_that_does_not_exist(rewardloop):
    assert "Cannot read `none.parquet`" in rewardloop("doctor", "none.parquet").err
    assert "Expected a data directory" in rewardloop("doctor", "offers").err


def test_a_live_experiment_by_name_and_by_file(offers, tmp_path):
    for i in range(30):
        offers("decide", "offers.yaml", "-c", json.dumps({"age": 20 + i}), "--event-id", f"visit-{i}")
        offers("reward", f"visit-{i}", str(i % 2), "-e", "offers")
    assert "The log is empty" in offers("doctor", "offers").out, "nothing is joined yet"
    offers("join", "offers")
    found = offers("doctor", "offers", "--json").json
    assert found == offers("doctor", "offers.yaml", "--json").json
    assert (found["n"], found["n_usable"], found["learnability"]) == (30, 30, None)
    checks = {finding["check"]: finding["severity"] for finding in found["findings"]}
    assert checks["events"] == "warning"
    assert checks["rows"] == checks["clock_skew"] == checks["late_rewards"] == checks["sample_ratio"] == "ok"


def test_power_from_an_experiment_counts_the_decisions_too(offers, tmp_path):
    offers("warm-start", "offers.yaml", write(history(), tmp_path / "h.csv"))
    offers("join", "offers")
    found = offers("power", "offers", "--delta", "0.1", "--json").json
    assert found["n"] == 600
    assert found["held_out"] == pytest.approx(0.2)
    for needed in found["needed"]:
        assert needed["decisions"] == pytest.approx(needed["events"] * 5, abs=5)
        assert needed["detectable"] * found["n"] ** 0.5 == pytest.approx(0.1 * needed["events"] ** 0.5, rel=0.02)


def test_power_tells_what_it_left_out(rewardloop, tmp_path):
    rows = history()
    rows[7]["probability"] = 0
    ran = rewardloop("power", write(rows, tmp_path / "h.csv"), "--delta", "0.1")
    assert ran.code == 0
    assert "1 row was left out: 1 × expected a probability above 0" in ran.err
    assert "seen with 599" in ran.out


@pytest.fixture
def mixed(tmp_path):
    """Rows of two experiments; the arms of the second are others, and it is worth much more."""
    theirs = [{**row, "action": f"{row['action']} banner", "reward": 1.0, "experiment": "banners"} for row in history(300)]
    return write([{**row, "experiment": "offers"} for row in history()] + theirs, tmp_path / "mixed.jsonl")


def test_of_mixed_experiments_nothing_is_told_as_one(rewardloop, mixed):
    ran = rewardloop("doctor", mixed)
    assert (ran.code, "`offers` (600), `banners` (300)" in ran.out, "to be gained (" in ran.out) == (1, True, False)
    refused = rewardloop("power", mixed, "--delta", "0.1")
    assert (refused.code, refused.out) == (2, "")
    assert "got those of 2: `offers` (600 rows), `banners` (300 rows); ask for one with `--only`" in refused.err


def test_one_of_mixed_experiments_is_told_as_if_it_were_alone(rewardloop, mixed, tmp_path):
    alone = write(history(), tmp_path / "alone.jsonl")
    (tmp_path / "power.txt").write_text(rewardloop("power", alone, "--delta", "0.1").out)
    assert rewardloop("power", mixed, "--only", "offers", "--delta", "0.1").out == (tmp_path / "power.txt").read_text()
    ours, theirs = (rewardloop("doctor", *arguments, "--json").json for arguments in ((mixed, "--only", "offers"), (alone,)))
    assert ours["learnability"] == theirs["learnability"] is not None
    (told,) = [each for each in ours["findings"] if each["check"] == "one_experiment"]
    assert (told["severity"], "not 300 rows that do not name it" in told["sentence"]) == ("note", True)


def test_an_experiment_that_no_row_names(rewardloop, mixed):
    ran = rewardloop("doctor", mixed, "--only", "offer")
    assert (ran.code, "did you mean `offers`?" in ran.err) == (1, True)


def test_power_of_a_plan(rewardloop):
    few = rewardloop("power", "--arms", "2", "--floor", "0.5", "--rate", "0.1", "--delta", "0.05", "--json").json
    many = rewardloop("power", "--arms", "20", "--floor", "0.5", "--rate", "0.1", "--delta", "0.05", "--json").json
    assert many["needed"][0]["events"] > 5 * few["needed"][0]["events"]
    assert few["needed"][0]["detectable"] is None


WRONG = [
    (["power", "--delta", "0.1"], 2, "a log or, for a plan, --rate"),
    (["power", "h.csv", "--rate", "0.1", "--delta", "0.1"], 2, "got both"),
    (["power", "--rate", "0.1", "--delta", "0"], 2, "difference above 0"),
    (["power", "--rate", "0.1", "--delta", "0.1", "--power", "1"], 2, "Must be < 1"),
    (["power", "--rate", "0.1"], 2, "--delta"),
    (["doctor", "offers.yaml", "--only", "offers"], 2, "Expected a file whose rows name their experiment"),
    (["doctor", "h.csv", "--events", "1"], 2, "Must be >= 2"),
]


@pytest.mark.parametrize(("arguments", "code", "said"), WRONG, ids=[" ".join(arguments) for arguments, _, _ in WRONG])
def test_wrong_usage(rewardloop, arguments, code, said):
    ran = rewardloop(*arguments)
    assert ran.code == code
    assert said in ran.err
    assert ran.err.count("\n") == 1
