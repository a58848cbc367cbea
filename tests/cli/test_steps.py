"""Every command on one experiment, in the order somebody new would meet them."""

from __future__ import annotations

import csv
import random

import msgspec
import pytest

from rewardloop.cli.telling.printing import instant

_HEADINGS = (
    "What was earned", "What was chosen", "What the gate said", "Where every record went", "Models", "What was hosted when",
    "Stretch by stretch",
)  # fmt: skip


@pytest.fixture
def history(tmp_path):
    """600 logged decisions: green is right for the young."""
    generator = random.Random(0)
    with (tmp_path / "history.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["age", "action", "probability", "reward"])
        for _ in range(600):
            age, action = generator.randint(18, 80), generator.choice(["red", "green", "blue"])
            rows.writerow([age, action, 1 / 3, int(action == ("green" if age < 40 else "red"))])
    return "history.csv"


def test_from_a_file_to_a_hosted_model_and_back(offers, history):
    decided = offers("decide", "offers.yaml", "-c", '{"age": 31}', "--json").json
    assert decided["model_id"] == "offers.0"
    assert offers("reward", decided["event_id"], "-0.5").out.startswith("Recorded -0.5")
    assert offers("reward", decided["event_id"], "1", "--metric", "cost=1.2", "--metric", "ms=80").code == 0
    refused = offers("reward", decided["event_id"], "1", "--metric", "cost")
    assert (refused.code, "cost=1.2" in refused.err) == (2, True)

    assert offers("warm-start", "offers", history).out.startswith("Took in 600 of 600 rows.")
    joined = offers("join", "offers", "--json").json
    assert joined["ledger"]["decisions"] == joined["n"] == 601
    assert offers("export", "offers", "events.vw").out == "Wrote 601 closed events to events.vw\n"
    assert offers("export", "offers", "joined.csv", "--format", "sagemaker-2019", "--json").json["written"] == 601
    assert offers("export", "offers", "events.xyz").code == 2

    assert offers("train", "offers").out.startswith("offers.1, from nothing, trained on ")
    assert offers("train", "offers", "--rebuild", "offers.1").out == "offers.1, made again from nothing: the same\n"
    judged = offers("evaluate", "offers", "offers.1")
    assert judged.code == 0
    assert "Promote: " in judged.out

    assert offers("deploy", "offers", "offers.1").code == 0
    assert offers("decide", "offers", "-c", '{"age": 31}', "--no-explore", "--json").json["action"] == "green"
    refused = offers("train", "offers")
    assert (refused.code, "none closed since `offers.1` was trained" in refused.err) == (1, True)
    decided = offers("decide", "offers", "-c", '{"age": 55}', "--json").json
    offers("reward", decided["event_id"], "1")
    assert offers("train", "offers", "--json").json["parent"] == "offers.1"
    assert offers("deploy", "offers", "offers.2").code == 0
    assert offers("rollback", "offers").out == "offers.1 is hosted again\n"

    state = offers("status", "--json").json[0]
    assert state["hosted"] == "offers.1"
    assert [model["model_id"] for model in state["models"]] == ["offers.1", "offers.2"]
    assert len(state["deployments"]) == 3


def test_the_gate_says_no_with_exit_code_3(offers):
    event_id = offers("decide", "offers.yaml", "--json").json["event_id"]
    offers("reward", event_id, "1")
    offers("train", "offers")
    judged = offers("evaluate", "offers")
    assert judged.code == 3
    assert "Insufficient data" in judged.out
    assert offers("evaluate", "offers", "--json").json["verdict"] == "insufficient_data"


def test_audit_replays_a_decision_by_its_own_id(offers):
    offers("decide", "offers.yaml", "-c", '{"os": "[b]"}', "--event-id", "order-1")
    offers("reward", "order-1", "2.5", "--experiment", "offers.yaml", "--final")
    told = offers("audit", "order-1", "-e", "offers")
    assert told.code == 0
    assert "The replay is the same to the bit." in told.out
    assert '{"os":"[b]"}' in told.out
    assert "2.5" in told.out
    assert offers("audit", "order-1", "-e", "offers", "--json").json["same"] is True
    assert offers("audit", "order-1").out == told.out  # there is no other experiment it could be of


def test_status_is_a_short_account_that_balances(offers):
    for event_id in ("a", "b", "c"):
        offers("decide", "offers.yaml", "--event-id", event_id)
    for event_id in ("a", "b", "b", "nobody"):
        offers("reward", event_id, "1", "-e", "offers")
    assert "7 newer in the log; there was no join yet." in offers("status").out
    offers("join", "offers")
    shown = offers("status").out
    assert "hosted     offers.0, uniform: no model yet" in shown
    assert "decisions  3 = 2 rewarded + 1 open" in shown
    offers("decide", "offers.yaml")
    assert "rewards    4 = 2 counted + 1 late + 1 waiting" in shown
    assert " 0 " not in shown
    assert max(map(len, shown.splitlines())) <= 80
    told = offers("status", "--json").json[0]
    assert f"not joined  1 newer in the log; the last join was at {instant(told['joined_at'])}." in offers("status").out
    assert told["unread"] == 1


def test_how_an_experiment_fared_is_a_page_a_picture_and_a_document(offers, history, tmp_path):
    assert "no decision" not in offers("warm-start", "offers.yaml", history).out
    for command in ("train", "evaluate", "deploy"):
        assert offers(command, "offers", *["offers.1"] * (command == "deploy")).code == 0
    shown = offers("status", "offers", "-r", "life.html", "-r", "life.png", "-r", "life.json")
    assert (shown.code, shown.out) == (0, offers("status", "offers").out)
    page = (tmp_path / "life.html").read_text()
    assert "offers.1 decides: the newest 50 closed decisions earned " in page
    assert [heading for heading in _HEADINGS if f"<h2>{heading}</h2>" not in page] == []
    assert page.count("<figure") == 3
    assert (tmp_path / "life.png").read_bytes().startswith(b"\x89PNG")
    told = msgspec.json.decode((tmp_path / "life.json").read_bytes())
    assert sum(stretch["n"] for stretch in told["progress"]["stretches"]) == told["status"]["ledger"]["closed"] == 600


def test_a_report_is_of_one_experiment_and_may_be_of_nothing(offers, tmp_path):
    assert "got 0; name it - at `--report`" in offers("status", "-r", "life.html").err
    offers("decide", "offers.yaml")
    assert offers("status", "offers", "-r", "life.html", "-r", "life.png").code == 0
    assert "offers.0 decides. No decision has closed yet" in (tmp_path / "life.html").read_text()
    offers("init", "more", "--actions", "a,b")
    offers("decide", "more.yaml")
    assert "got 2; name it - at `--report`" in offers("status", "-r", "life.html").err


def test_a_status_of_nothing_makes_nothing(rewardloop, tmp_path):
    assert rewardloop("status").out.startswith("No experiment in rewardloop-data yet.")
    assert rewardloop("status", "--json").json == []
    assert list(tmp_path.iterdir()) == []


def test_tail_shows_the_newest(offers):
    for n in range(4):
        offers("decide", "offers.yaml", "-c", f'{{"n": {n}}}', "--event-id", f"e{n}")
    offers("reward", "e3", "1", "-e", "offers")
    lines = offers("tail", "offers", "-n", "2").out.splitlines()
    assert ["e3  decide" in lines[0], "e3  reward  1" in lines[1]] == [True, True]
    assert offers("tail", "offers", "-n", "1", "--json").json["kind"] == "reward"
    assert offers("tail", "offers", "-n", "0").out == ""


def test_the_data_directory_can_come_from_the_environment(offers, tmp_path, monkeypatch):
    monkeypatch.setenv("REWARDLOOP_DATA", str(tmp_path / "elsewhere"))
    offers("decide", "offers.yaml")
    assert (tmp_path / "elsewhere").is_dir()
    assert not (tmp_path / "rewardloop-data").exists()


def test_actions_may_come_with_each_request(rewardloop):
    rewardloop("init", "news")
    decided = rewardloop("decide", "news.yaml", "-a", '[{"id": "a", "features": {"x": 1}}, {"id": "b"}]', "--json").json
    assert decided["action"] in {"a", "b"}
    assert rewardloop("decide", "news").code == 2


def test_history_without_probabilities_is_said_aloud(offers, tmp_path):
    (tmp_path / "old.csv").write_text("age,action,reward\n31,red,1\n40,green,0\n50,mauve,1\n")
    told = offers("warm-start", "offers.yaml", "old.csv")
    assert told.code == 0
    assert "2 rows had no probability" in told.err
    assert "Left out 1" in told.out
    assert "mauve" in told.out


def test_an_ab_test_begins_is_looked_at_and_ends(offers, tmp_path):
    assert offers("ab-test", "offers.yaml").code == 1
    assert offers("ab-test", "offers.yaml", "--share", "0.2").code == 2
    begun = offers("ab-test", "offers.yaml", "--b", "offers.0", "--share", "0.2")
    assert (begun.code, "A offers.0 makes 80.00%" in begun.out) == (0, True)
    assert "rewardloop ab-test offers" in offers("status", "offers").out
    shown = offers("ab-test", "offers", "--report", "test.html", "--report", "test.json")
    assert (shown.code, "Too few" in shown.out) == (0, True)
    assert "A/A test" in (tmp_path / "test.html").read_text()
    assert offers("ab-test", "offers", "--json").json["winner"] == "too few"
    assert offers("abort", "offers").code == 0


def test_a_changed_file_is_in_force_once_a_command_is_given_it_and_what_changed_is_said(offers, tmp_path):
    file = tmp_path / "offers.yaml"
    assert offers("join", "offers.yaml").err == ""
    file.write_text("actions: [red, green, blue]\npolicy: {exploration: squarecb}\nreward: {window: 7m}\n")
    changed = offers("status", "offers.yaml")
    assert changed.err == "offers: changed settings are in force now: policy.exploration, reward.window\n"
    assert changed.out.startswith("offers  squarecb\n")
    assert offers("status", "offers").out == changed.out
    assert offers("tail", "offers.yaml").err == ""
    file.write_text("actions: [red, green]\n")
    refused = offers("status", "offers.yaml")
    assert (refused.code, "rewardloop warm-start NEW.yaml" in refused.err) == (1, True)
