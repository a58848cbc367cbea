"""`score`: every good row is answered as it would be served, in its order; every bad one is named; the output is whole."""

from __future__ import annotations

import csv
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rewardloop import Experiment, ExperimentSettings
from rewardloop.clock import SECOND, ManualClock
from rewardloop.loop.scoring.rows import CHUNK
from rewardloop.settings import PolicySettings

ARMS = ("red", "green")


@pytest.fixture(params=["lints", "regcbopt"])
def offers(request, tmp_path):
    """The directory of an experiment with a hosted model: red where x < 0."""
    settings = ExperimentSettings(experiment="offers", actions=ARMS, policy=PolicySettings(exploration=request.param))
    clock = ManualClock()
    with Experiment.open(settings, tmp_path / "rewardloop-data", clock=clock) as experiment:
        for i in range(300):
            x = (i * 37 % 100) / 50 - 1
            decision = experiment.decide({"x": x}, event_id=f"e{i}")
            experiment.reward(decision.event_id, float((x > 0) == bool(decision.action)))
            clock.advance(SECOND)
        assert experiment.turn().deployed
    return tmp_path / "rewardloop-data"


XS = [-0.9, 0.8, 0.5, -0.4]


def write(path, rows):
    columns = {"x": list(rows)}
    if path.suffix == ".parquet":
        pq.write_table(pa.table(columns), path)
    elif path.suffix == ".csv":
        path.write_text("x\n" + "".join(f"{x}\n" for x in rows))
    else:
        path.write_text("".join(json.dumps({"x": x} if i % 2 else {"context": {"x": x}}) + "\n" for i, x in enumerate(rows)))


def read(path):
    if path.suffix == ".parquet":
        return pq.read_table(path).to_pylist()
    if path.suffix == ".csv":
        rows = list(csv.DictReader(path.read_text().splitlines()))
        return [{name: value if name == "action" else json.loads(value) for name, value in row.items()} for row in rows]
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize("source", ["in.jsonl", "in.csv", "in.parquet"])
@pytest.mark.parametrize("out", ["out.jsonl", "out.csv", "out.parquet"])
def test_rows_are_answered_as_they_would_be_served(rewardloop, offers, tmp_path, source, out):
    write(tmp_path / source, XS)
    ran = rewardloop("score", "offers", source, out)
    assert (ran.code, ran.err) == (0, "")
    rows = read(tmp_path / out)
    assert [row["action"] for row in rows] == ["red", "green", "green", "red"]
    first = 2 if source == "in.csv" else 1
    assert [row["line"] for row in rows] == [first, first + 1, first + 2, first + 3]
    with Experiment.open("offers", offers) as experiment:
        for row, x in zip(rows, XS, strict=True):
            served = experiment.decide({"x": x}).pmf
            assert row["pmf"] == pytest.approx(list(served), abs=1e-9)
            assert row["probability"] == max(row["pmf"])
            assert row["actions"] == list(ARMS)


def test_bad_rows_are_named_and_the_others_scored(rewardloop, offers, tmp_path):
    lines = ['{"x": 1}', "not json", '{"x": [1, "a"]}', "", '{"x": 1e400}', '{"context": 7}', '{"x": -1}']
    (tmp_path / "in.jsonl").write_text("\n".join(lines))
    ran = rewardloop("score", "offers", "in.jsonl", "out.jsonl")
    assert ran.code == 1
    assert [row["line"] for row in read(tmp_path / "out.jsonl")] == [1, 7]
    assert [line.split(":")[0] for line in ran.err.splitlines()] == [f"Left out line {n}" for n in (2, 3, 5, 6)]
    report = rewardloop("score", "offers", "in.jsonl", "out.jsonl", "--json").json
    assert (report["scored"], report["n_bad"]) == (2, 4)


def test_chunks_are_joined_without_a_seam(rewardloop, offers, tmp_path):
    n = 2 * CHUNK + 3
    (tmp_path / "in.jsonl").write_text("".join(f'{{"x": {-1 if i % 3 else 1}}}\n' for i in range(n)) + "{\n")
    assert rewardloop("score", "offers", "in.jsonl", "out.jsonl").code == 1
    rows = read(tmp_path / "out.jsonl")
    assert [row["line"] for row in rows] == list(range(1, n + 1))
    assert [row["action"] for row in rows] == ["red" if i % 3 else "green" for i in range(n)]


def test_actions_of_each_row(rewardloop, tmp_path):
    (tmp_path / "news.yaml").write_text("experiment: news\n")
    (tmp_path / "in.jsonl").write_text(
        '{"context": {"x": 1}, "actions": ["a", "b"]}\n{"x": 2, "actions": [{"id": "c", "features": {"y": 1}}]}\n{"x": 3}\n'
    )
    ran = rewardloop("score", "news.yaml", "in.jsonl", "out.jsonl")
    assert ran.code == 1
    assert [(row["actions"], row["pmf"]) for row in read(tmp_path / "out.jsonl")] == [(["a", "b"], [0.5, 0.5]), (["c"], [1.0])]
    assert "line 3: Expected `actions`" in ran.err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["in.csv", "out.txt"], 2, ".jsonl, .csv, .parquet"),
        (["in.csv", "none/out.csv"], 2, "directory that exists"),
        (["none.csv", "out.csv"], 1, "none.csv"),
        (["in.csv", "out.csv", "--model", "offers.9"], 1, "offers.9"),
    ],
)
def test_mistakes_are_one_line_and_leave_no_file(rewardloop, tmp_path, arguments, code, said):
    (tmp_path / "in.csv").write_text("x\n1\n")
    (tmp_path / "offers.yaml").write_text("actions: 2\n")
    ran = rewardloop("score", "offers.yaml", *arguments)
    assert (ran.code, ran.out) == (code, "")
    assert said in ran.err
    assert ran.err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir() if "out" in path.name] == []
