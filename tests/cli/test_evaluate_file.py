"""`evaluate FILE --candidate COLUMN`: somebody's policy on another system's log, up to the verdict somebody is shown."""

from __future__ import annotations

import csv
import random
from pathlib import Path

import pytest

from rewardloop.evaluation import EvaluationReport, GateReport

ARMS = ("red", "green", "blue")


@pytest.fixture
def history(tmp_path: Path) -> Path:
    """Uniform decisions. Green is right for the young, red for the others: `new` knows, `much` is less sure, `old` takes blue."""
    generator, path = random.Random(0), tmp_path / "history.csv"
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["age", "action", "probability", "reward", "new", "old", "much"])
        for _ in range(900):
            age, action = generator.randint(18, 80), generator.choice(ARMS)
            best = "green" if age < 40 else "red"
            reward = int(generator.random() < (0.9 if action == best else 0.1))
            rows.writerow([age, action, 1 / 3, reward, best, "blue", f'{{"{best}": 0.8, "blue": 0.2}}'])
    return path


def test_a_better_policy_is_seen_to_be_better_and_a_worse_one_kept_out(rewardloop, history):
    better = rewardloop("evaluate", "history.csv", "--candidate", "new", "--json")
    assert (better.code, better.err, better.json["verdict"]) == (0, "", "promote")
    assert better.json["candidate"]["dr"]["value"] == pytest.approx(0.9, abs=0.05)
    worse = rewardloop("evaluate", "history.csv", "--candidate", "old", "--hosted", "much", "--json")
    assert (worse.code, worse.json["verdict"]) == (3, "keep")
    assert worse.json["difference"]["value"] == pytest.approx(0.1 - (0.8 * 0.9 + 0.2 * 0.1), abs=0.08)


def test_it_is_written_as_page_picture_and_json(rewardloop, history, tmp_path):
    ran = rewardloop("evaluate", "history.csv", "-c", "much", "-r", "v.html", "-r", "v.png", "-r", "v.json", "--events", "700")
    assert ran.err.splitlines()[-1] == "Only the newest 700 of 900 rows were looked at; more: --events 900"
    report = EvaluationReport.from_json((tmp_path / "v.json").read_bytes())
    assert (report.subject.candidate, report.subject.hosted, report.gate.n) == ("much", None, 700)
    page = (tmp_path / "v.html").read_text()
    assert "much against what was logged" in page
    assert "if the candidate did not learn from them" in page
    assert "1970" not in page
    assert report.gate.summary in " ".join(ran.out.split())


def test_the_same_file_gives_the_same_bits(rewardloop, history):
    first, second = (rewardloop("evaluate", "history.csv", "-c", "much", "--json").out for _ in range(2))
    assert first == second
    assert GateReport.from_json(first).verdict == "promote"


def test_faulty_rows_of_the_log_are_counted_with_their_reasons(rewardloop, history):
    with history.open("a") as file:
        file.write("30,green,0,1,green,blue,green\n31,green,,1,green,blue,green\n32,green,0.3,nan,green,blue,green\n33,green\n")
    excluded = rewardloop("evaluate", "history.csv", "-c", "new", "--json").json["excluded"]
    assert sum(excluded.values()) == 4
    assert excluded["no probability was logged"] == 1
    assert excluded["another number of columns than the first line"] == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["history.csv"], "Expected --candidate COLUMN"),
        (["history.csv", "offers.3", "-c", "new"], "Expected no model beside the file"),
        (["history.csv", "-c", "nwe"], "did you mean `new`?"),
        (["history.csv", "-c", "age"], "900 rows have none that can be used"),
        (["history.csv", "-c", "new", "--hosted", "very"], "Expected a column `very`"),
        (["history.csv", "-c", "new", "--only", "offers"], "names the experiment `offers`"),
        (["nothing.csv", "-c", "new"], "Cannot read `nothing.csv`"),
        (["offers", "-c", "new"], "its candidates are models"),
    ],
)
def test_what_was_meant_is_said(rewardloop, history, arguments, said):
    ran = rewardloop("evaluate", *arguments)
    assert ran.code in {1, 2}
    assert said in " ".join(ran.err.split())
    assert ran.out == ""


def test_a_file_that_mixes_experiments_is_asked_for_one(rewardloop, tmp_path):
    rows = "".join(f"{name},1,red,0.5,{i % 2},red\n{name},2,blue,0.5,1,red\n" for i in range(9) for name in ("offers", "banners"))
    (tmp_path / "history.csv").write_text("experiment,x,action,probability,reward,new\n" + rows)
    assert "ask for one with `--only`" in rewardloop("evaluate", "history.csv", "-c", "new").err
    ran = rewardloop("evaluate", "history.csv", "-c", "new", "--only", "offers", "--json")
    assert (ran.code, ran.json["n"], ran.json["verdict"]) == (3, 18, "insufficient_data")


@pytest.mark.parametrize("rows", [0, 1])
def test_a_log_of_no_event_or_one(rewardloop, tmp_path, rows):
    (tmp_path / "history.csv").write_text("x,action,probability,reward,new\n" + "1,red,0.5,1,red\n" * rows)
    ran = rewardloop("evaluate", "history.csv", "-c", "new", "--report", "v.html")
    assert ran.code == 3
    assert "Insufficient data" in ran.out
