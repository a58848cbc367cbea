"""`search`: finds what is better, on a log or on a world; a killed one carries on; the winner is a configuration to serve."""

from __future__ import annotations

import numpy as np
import optuna
import pytest

from rewardloop import Experiment
from rewardloop.clock import SECOND, ManualClock
from rewardloop.settings import load_settings

BAD = "actions: [a, b]\npolicy: {exploration: egreedy, epsilon: 1.0, floor: 0.1}\ntraining: {seed: 3}\n"


@pytest.fixture
def offers(rewardloop, tmp_path):
    """A log of 600 uniform decisions: b where x > 0."""
    (tmp_path / "offers.yaml").write_text(BAD)
    clock, dice = ManualClock(), np.random.default_rng(0)
    with Experiment.open(load_settings(tmp_path / "offers.yaml").settings, tmp_path / "rewardloop-data", clock=clock) as experiment:
        for i in range(600):
            x = float(dice.normal())
            decision = experiment.decide({"x": x}, event_id=f"e{i}")
            experiment.reward(decision.event_id, float((x > 0) == bool(decision.action)))
            clock.advance(SECOND)
    return rewardloop


def test_on_the_log_it_finds_what_is_better_and_carries_on(offers, tmp_path):
    ran = offers("search", "offers.yaml", "--trials", "3", "--json")
    assert (ran.code, ran.err) == (0, "")
    assert ran.json["n_trials"] == 3
    assert ran.json["value"] > ran.json["current_value"] + 0.2
    assert ran.json["judgement"]["difference"]["lower"] > 0.2
    found = load_settings(tmp_path / "found.yaml").settings
    assert found.policy.exploration != "egreedy" or found.policy.epsilon < 1
    assert (found.policy.floor, found.training.seed, found.action_ids) == (0.1, 3, ("a", "b"))
    again = offers("search", "offers.yaml", "--trials", "3", "--json")
    assert again.json == ran.json
    assert offers("search", "offers.yaml", "--trials", "4", "--json").json["n_trials"] == 4
    assert offers("train", "found.yaml").code == 0


def test_on_a_world(rewardloop, tmp_path):
    (tmp_path / "offers.yaml").write_text(BAD)
    ran = rewardloop("search", "offers.yaml", "--world", "sim:static", "--events", "200", "--trials", "2", "-o", "better.yaml")
    assert ran.code == 0
    for line in ("winner", "now", "on the tail", "difference"):
        assert f"{line} " in ran.out
    assert " → " in ran.out
    assert load_settings(tmp_path / "better.yaml").settings.policy != load_settings(tmp_path / "offers.yaml").settings.policy


def test_on_a_world_of_rankings(rewardloop, tmp_path):
    (tmp_path / "films.yaml").write_text("policy: {exploration: egreedy, epsilon: 1}\n")
    ran = rewardloop("search", "films.yaml", "--world", "sim:cascade", "--events", "100", "--trials", "1", "--json")
    assert (ran.code, ran.err) == (0, "")
    assert ran.json["judgement"]["winner"]["n"] == 2


def test_what_is_better_already_is_kept(rewardloop, tmp_path):
    (tmp_path / "good.yaml").write_text("actions: [a, b]\n")
    (tmp_path / "data.csv").write_text("x,y\n" + "0,a\n1,b\n" * 20)
    ran = rewardloop("search", "good.yaml", "--world", "data.csv", "--events", "100", "--trials", "1", "--seed", "5", "--json")
    found = ran.json
    assert found["value"] >= found["current_value"]
    assert found["judgement"]["winner"]["value"] > 0.8


def test_of_a_number_to_set_the_tree_is_tried_too(rewardloop, tmp_path):
    """A log of 300 uniform values, 0.8 the best; a search whose trials reach every exploration, and can be gone on with."""
    text = "actions: {low: 0, high: 1, cells: 4}\npolicy: {exploration: uniform}\nreward: {range: [0, 1]}\n"
    (tmp_path / "dose.yaml").write_text(text)
    clock = ManualClock()
    with Experiment.open(load_settings(tmp_path / "dose.yaml").settings, tmp_path / "rewardloop-data", clock=clock) as experiment:
        for i in range(300):
            decision = experiment.decide({"x": 1.0}, event_id=f"e{i}")
            experiment.reward(decision.event_id, 1.0 - abs(decision.values[0] - 0.8))
            clock.advance(SECOND)
    ran = rewardloop("search", "dose.yaml", "--trials", "12", "--json")
    assert (ran.code, ran.err) == (0, "")
    assert ran.json["judgement"]["difference"]["value"] > 0
    tried = {params["exploration"] for params in stored(tmp_path / "rewardloop-data" / "search" / "dose.db")}
    assert "cats" in tried
    assert "neural" not in tried
    assert rewardloop("train", "found.yaml").code == 0


def stored(database):
    """What each trial of a search's database chose."""
    storage = optuna.storages.RDBStorage(f"sqlite:///{database}")
    found = [trial.params for study in storage.get_all_studies() for trial in storage.get_all_trials(study._study_id)]
    storage.remove_session()
    storage.engine.dispose()
    return found


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["none", "--world", "digits"], 1, "data directory"),
        (["offers.yaml", "--world", "digitz"], 2, "did you mean `digits`"),
        (["offers.yaml", "--world", "sim:cascade"], 2, "expected an experiment without `actions` - at `--world`"),
        (["dose.yaml", "--world", "digits"], 2, "the experiment sets a number: search on its log - at `--world`"),
        (["offers.yaml", "--label", "x"], 2, "--world"),
        (["offers.yaml"], 2, "at least 100 closed events"),
        (["offers.yaml", "--trials", "0"], 2, "Must be >= 1"),
    ],
)
def test_mistakes_are_one_line(rewardloop, tmp_path, arguments, code, said):
    (tmp_path / "offers.yaml").write_text(BAD)
    (tmp_path / "dose.yaml").write_text("actions: {low: 0, high: 1, cells: 8}\n")
    ran = rewardloop("search", *arguments)
    assert (ran.code, ran.out) == (code, "")
    assert said in ran.err
    assert ran.err.count("\n") == 1
