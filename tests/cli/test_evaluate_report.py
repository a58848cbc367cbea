"""`evaluate --report` and `explain`, from the history of an old system to files somebody can be sent."""

from __future__ import annotations

import csv
import random

import msgspec
import pytest

from rewardloop.evaluation import DecisionReport, EvaluationReport, GateReport, PolicyReport


@pytest.fixture
def trained(offers, tmp_path):
    """A first model on 900 logged decisions: green is right for the young, on any device."""
    generator = random.Random(0)
    with (tmp_path / "history.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["age", "device.w", "device.h", "action", "probability", "reward"])
        for _ in range(900):
            age, action = generator.randint(18, 80), generator.choice(["red", "green", "blue"])
            rows.writerow(
                [age, generator.random(), generator.random(), action, 1 / 3, int(action == ("green" if age < 40 else "red"))]
            )
    offers("warm-start", "offers.yaml", "history.csv")
    offers("train", "offers")
    return offers


def test_one_evaluation_is_written_as_page_picture_and_json(trained, tmp_path):
    ran = trained("evaluate", "offers", "--report", "v.html", "--report", "v.png", "-r", "v.json", "--json")
    assert ran.code == 0
    report = EvaluationReport.from_json((tmp_path / "v.json").read_bytes())
    assert GateReport.from_json(ran.out) == report.gate
    assert report.gate.summary in (tmp_path / "v.html").read_text()
    assert (tmp_path / "v.png").read_bytes().startswith(b"\x89PNG")
    assert ran.err.splitlines() == ["Wrote v.html", "Wrote v.png", "Wrote v.json"]
    subject = report.subject
    assert (subject.candidate, subject.hosted, subject.n_events) == ("offers.1", None, 900)
    assert report.gate.n == subject.n_held_out


def test_what_is_hosted_is_compared_with_what_was_before_it(trained, tmp_path):
    trained("deploy", "offers", "offers.1")
    first = trained("evaluate", "offers")
    assert "candidate − logged" in first.out
    assert "Hosted, and would" in first.out
    for i in range(5):
        trained("decide", "offers", "--event-id", f"new{i}")
        trained("reward", f"new{i}", "1", "--experiment", "offers")
    trained("train", "offers")
    trained("deploy", "offers", "offers.2")
    ran = trained("evaluate", "offers", "-r", "v.json", "-r", "v.html")
    assert "candidate − before" in ran.out
    assert "hosted  " not in ran.out
    report = EvaluationReport.from_json((tmp_path / "v.json").read_bytes())
    assert (report.subject.candidate, report.subject.hosted, report.gate.serving) == ("offers.2", "offers.1", True)
    assert "offers.1, which was hosted before it" in (tmp_path / "v.html").read_text()


def test_a_report_says_what_evaluate_says_without_one(trained):
    assert trained("evaluate", "offers").out == trained("evaluate", "offers", "--report", "v.json").out


def test_of_rankings_what_the_whole_earns_is_shown_with_and_without_a_report(offers, tmp_path):
    for i in range(30):
        offers("decide", "offers.yaml", "--top-k", "2", "--event-id", f"r{i}")
        offers("reward", f"r{i}", "1", "--experiment", "offers")
    offers("train", "offers")
    plain, reported = offers("evaluate", "offers"), offers("evaluate", "offers", "-r", "v.json", "-r", "v.html")
    assert plain.out == reported.out
    found = EvaluationReport.from_json((tmp_path / "v.json").read_bytes()).gate.rankings
    assert f"Whole rankings ({found.n_incomplete} incomplete, not used):" in plain.out
    value = found.kinds[0].estimates["candidate"]["cascade_ips"].value
    assert f"{value:.4f}" in plain.out
    assert f"{value:.4f}" in (tmp_path / "v.html").read_text()
    assert GateReport.from_json(offers("evaluate", "offers", "--json").out).rankings == found


def test_against_a_hosted_model(trained, tmp_path):
    trained("deploy", "offers", "offers.1")
    decided = trained("decide", "offers", "-c", '{"age": 55}', "--json").json
    trained("reward", decided["event_id"], "1")
    trained("train", "offers")
    trained("evaluate", "offers", "-r", "v.json")
    report = EvaluationReport.from_json((tmp_path / "v.json").read_bytes())
    assert (report.subject.candidate, report.subject.hosted) == ("offers.2", "offers.1")
    assert set(report.estimates) == {"candidate", "hosted", "logged"}


def test_the_gate_says_no_with_exit_code_3_and_the_report_says_why(offers, tmp_path):
    event_id = offers("decide", "offers.yaml", "--json").json["event_id"]
    offers("reward", event_id, "1")
    offers("train", "offers")
    assert offers("evaluate", "offers", "--report", "v.html", "--report", "v.png").code == 3
    assert "Insufficient data" in (tmp_path / "v.html").read_text()
    assert (tmp_path / "v.png").exists()


@pytest.mark.parametrize(("name", "said"), [("v.pdf", ".html, .png or .json"), ("no/such/v.html", "a directory that exists")])
def test_a_file_that_cannot_be_is_refused_before_anything_is_evaluated(trained, name, said):
    ran = trained("evaluate", "offers", "--report", name)
    assert ran.code == 2
    assert said in ran.err
    assert trained("status", "offers", "--json").json[0]["models"][0]["verdict"] is None


def test_a_report_replaces_the_one_before(trained, tmp_path):
    (tmp_path / "v.html").write_text("old")
    trained("evaluate", "offers", "--report", "v.html")
    assert (tmp_path / "v.html").read_text().startswith("<!DOCTYPE html>")
    assert not list(tmp_path.glob(".v.html*"))


def test_explain_finds_what_the_model_decides_by(trained, tmp_path):
    ran = trained("explain", "offers", "-r", "i.html", "-r", "i.png", "-r", "i.json", "--json")
    assert ran.code == 0
    report = msgspec.json.decode((tmp_path / "i.json").read_bytes(), type=PolicyReport)
    assert msgspec.json.decode(ran.out, type=PolicyReport) == report
    assert (report.model_id, report.importance.features[0].name) == ("offers.1", "age")
    assert report.importance.features[0].matters
    assert [feature.n_features for feature in report.importance.features] == [1, 2]
    assert report.summary in (tmp_path / "i.html").read_text()
    assert (tmp_path / "i.png").read_bytes().startswith(b"\x89PNG")


def test_explain_by_feature_on_fewer_events(trained):
    ran = trained("explain", "offers", "offers.1", "--by", "feature", "--events", "50")
    assert [name in ran.out for name in ("age", "device.w", "device.h")] == [True] * 3
    assert "(50 held-out events" in ran.out
    assert trained("explain", "offers", "offers.1", "--by", "feature", "--events", "50").out == ran.out


def test_explain_says_why_one_decision_was_made(trained, tmp_path):
    trained("deploy", "offers", "offers.1")
    decided = trained(
        "decide", "offers", "-c", '{"age": 22, "device": {"w": 0.5}}', "--event-id", "order-1", "--no-explore", "--json"
    )
    assert decided.json["action"] == "green"
    ran = trained("explain", "offers", "--event", "order-1", "-r", "d.html", "-r", "d.json")
    assert "`green` was chosen with probability 1; what speaks most for it is `age` being 22" in ran.out
    report = msgspec.json.decode((tmp_path / "d.json").read_bytes(), type=DecisionReport)
    first, *others = report.contributions.features
    assert (first.name, first.value, first.change) == ("age", 22, 1.0)
    assert ("device.h", None) in [(feature.name, feature.value) for feature in others]
    assert report.summary.replace("`", "") in (tmp_path / "d.html").read_text().replace("`", "")


def test_what_cannot_be_explained_is_said(trained):
    assert trained("explain", "offers", "--event", "nobody").code == 1
    both = trained("explain", "offers", "offers.1", "--event", "order-1")
    assert (both.code, "explained by the model that decided it" in both.err) == (2, True)
    assert trained("explain", "offers", "--events", "1").code == 2
    assert "Unknown model" in trained("explain", "offers", "offers.9").err


def test_without_held_out_events_there_is_nothing_to_explain_by(offers):
    offers("decide", "offers.yaml", "--event-id", "a")
    assert "no model yet" in offers("explain", "offers").err
    ran = offers("explain", "offers", "--event", "a")
    assert (ran.code, "`join` first" in ran.err) == (1, True)
