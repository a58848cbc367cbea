"""The loop in process, over the real log, lake and registry: what a user of `Experiment` relies on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rewardloop import Experiment, ExperimentSettings
from rewardloop.clock import SECOND, ManualClock
from rewardloop.errors import Conflict, CorruptModel, DirectoryInUse, InvalidInput, UnknownEvent, UnknownModel
from rewardloop.settings import GateSettings, PolicySettings
from rewardloop.settings.schema import Exploration, Guardrail


def open_offers(data: Path, clock: ManualClock | None = None, exploration: Exploration = "lints", **settings: object) -> Experiment:
    usual = ExperimentSettings(
        experiment="offers", actions=("red", "green"), policy=PolicySettings(exploration=exploration), **settings
    )  # type: ignore[arg-type]
    return Experiment.open(usual, data, clock=clock or ManualClock())


def play(offers: Experiment, clock: ManualClock, n: int, seed: int) -> float:
    """Red is right for the young, green for the old; the mean reward."""
    generator = np.random.default_rng(seed)
    earned = 0.0
    for i in range(n):
        age = float(generator.uniform(18, 80))
        clock.advance(SECOND)
        decision = offers.decide({"age": age, "os": "ios"}, event_id=f"{seed}-{i}")
        value = float(decision.action == int(age > 50))
        offers.reward(decision.event_id, value)
        earned += value
    clock.advance(SECOND)
    return earned / n


def test_a_guardrail_keeps_back_what_earns_more_and_costs_too_much(tmp_path: Path) -> None:
    clock, gate = ManualClock(), GateSettings(guardrails=(Guardrail(metric="cost"),))
    with open_offers(tmp_path, clock, gate=gate) as offers:
        for i in range(600):
            clock.advance(SECOND)
            decision = offers.decide({}, event_id=f"e{i}")
            offers.reward(decision.event_id, float(decision.action), metrics={"cost": 1.0 + decision.action})
        report = offers.evaluate(offers.train().model_id)
    assert (report.verdict, report.rules[-1].name, report.rules[-1].number > 0.05 * 1.5) == ("keep", "guardrail cost", True)


def test_metrics_that_cannot_be_are_not_logged(tmp_path: Path) -> None:
    with open_offers(tmp_path) as offers:
        event_id = offers.decide({}).event_id
        for metrics in ({f"m{i}": 1.0 for i in range(9)}, {"a b": 1.0}, {"m": float("nan")}):
            with pytest.raises(InvalidInput, match=r"metrics"):
                offers.reward(event_id, 1.0, metrics=metrics)
        assert offers.join().ledger.rewards_received == 0


@pytest.mark.parametrize("exploration", ["lints", "linucb", "regcbopt", "egreedy"])
def test_a_bandit_learns(tmp_path: Path, exploration: Exploration) -> None:
    clock = ManualClock()
    with open_offers(tmp_path, clock, exploration) as offers:
        before = play(offers, clock, 300, seed=1)
        for seed in (2, 3):
            offers.turn()
            play(offers, clock, 100, seed=seed)
        offers.turn()
        after = play(offers, clock, 300, seed=4)
    assert before < 0.65
    assert after > 0.8


def test_a_model_knows_its_parent_its_data_and_its_settings(tmp_path: Path) -> None:
    clock = ManualClock()
    with open_offers(tmp_path, clock) as offers:
        play(offers, clock, 60, seed=1)
        joined = offers.join()
        first = offers.train()
        play(offers, clock, 60, seed=2)
        second = offers.train()
    assert (first.parent, second.parent) == (None, "offers.1")
    assert first.dataset == joined.fingerprint != second.dataset
    assert second.settings.policy.exploration == "lints"
    assert 60 <= first.n_trained + second.n_trained <= 120


def test_a_model_can_be_made_again_after_its_files_are_lost(tmp_path: Path) -> None:
    clock = ManualClock()
    with open_offers(tmp_path, clock) as offers:
        for seed in (1, 2, 3):
            play(offers, clock, 60, seed=seed)
            offers.turn()
        record = offers.modelling.catalog.model("offers.3")
        for model_id in ("offers.2", "offers.3"):
            for file in offers.modelling.store.path(model_id).iterdir():
                file.write_bytes(b"garbage")
        with pytest.raises(CorruptModel, match=r"offers\.3"):
            offers.deploy("offers.3")
        assert offers.rebuild("offers.3") == record
        offers.deploy("offers.3")


def test_the_doctor_looks_at_the_log_as_of_the_last_join(tmp_path: Path) -> None:
    clock = ManualClock()
    with open_offers(tmp_path, clock) as offers:
        play(offers, clock, 60, seed=1)
        offers.join()
        play(offers, clock, 20, seed=2)
        found = offers.doctor()
        assert not found.failed
        assert (found.n, offers.doctor(events=10).n) == (60, 10)


def test_training_needs_something_new(tmp_path: Path) -> None:
    clock = ManualClock()
    with open_offers(tmp_path, clock) as offers:
        with pytest.raises(Conflict, match="none closed yet"):
            offers.train()
        play(offers, clock, 20, seed=1)
        offers.train()
        with pytest.raises(Conflict, match=r"since `offers\.1` was trained"):
            offers.turn()
        assert [model.model_id for model in offers.catalog.models("offers")] == ["offers.1"]


def test_roll_back_walks_back_through_what_was_hosted(tmp_path: Path) -> None:
    clock = ManualClock()
    with open_offers(tmp_path, clock, gate=GateSettings(rule="always")) as offers:
        for seed in (1, 2, 3):
            play(offers, clock, 50, seed=seed)
            offers.turn()
        assert [offers.roll_back().model_id for _ in range(2)] == ["offers.2", "offers.1"]
        play(offers, clock, 50, seed=4)
        assert offers.train().parent == "offers.1"
        assert offers.roll_back().model_id == offers.decide({"age": 20}).model_id == "offers.0"
        with pytest.raises(Conflict, match="earlier deployment"):
            offers.roll_back()


def test_the_hosted_model_decides_at_once(tmp_path: Path) -> None:
    clock = ManualClock()
    with open_offers(tmp_path, clock, gate=GateSettings(rule="always")) as offers:
        assert offers.decide({"age": 20}).model_id == "offers.0"
        play(offers, clock, 50, seed=1)
        offers.turn()
        clock.advance(SECOND)
        assert offers.decide({"age": 20}).model_id == "offers.1"


@pytest.mark.parametrize("exploration", ["lints", "regcbopt", "bag", "first", "cover"])
def test_every_decision_can_be_replayed_to_the_bit(tmp_path: Path, exploration: Exploration) -> None:
    clock = ManualClock()
    with open_offers(tmp_path, clock, exploration, gate=GateSettings(rule="always")) as offers:
        play(offers, clock, 50, seed=1)
        offers.turn()
        play(offers, clock, 50, seed=2)
        offers.join()
        audits = [offers.audit(f"{seed}-{i}") for seed in (1, 2) for i in (0, 49)]
    assert [audit.same for audit in audits] == [True] * 4
    assert [audit.model_id for audit in audits] == ["offers.0", "offers.0", "offers.1", "offers.1"]
    assert all(len(audit.rewards) == 1 for audit in audits)


def test_nothing_is_trained_twice(tmp_path: Path) -> None:
    clock = ManualClock()
    with open_offers(tmp_path, clock) as offers:
        n_trained = 0
        for seed in range(4):
            play(offers, clock, 50, seed=seed)
            n_trained += offers.train().n_trained
        on_all = sum(len(batch) for batch in offers.join().interactions(split="train", ratio=0.8))
    assert n_trained == on_all


def test_the_same_log_and_seed_give_the_same_bits(tmp_path: Path) -> None:
    weights = []
    for run in ("one", "two"):
        clock = ManualClock()
        with open_offers(tmp_path / run, clock) as offers:
            play(offers, clock, 100, seed=1)
            weights.append(offers.train())
    assert weights[0] == weights[1]


def test_many_decisions_are_one_commit_and_the_same_as_one_by_one(tmp_path: Path) -> None:
    with open_offers(tmp_path) as offers:
        many = offers.decide_many({"age": age} for age in range(20, 30))
        narrowed = offers.decide_many([{"age": 20}] * 30, ["green"])
        assert offers.unread() == 40
        assert [offers.decide({"age": 20}, event_id=each.event_id).action for each in many] == [each.action for each in many]
    assert {each.action for each in narrowed} == {1}
    assert {each.pmf for each in narrowed} == {(0.0, 1.0)}


def test_bad_input_logs_nothing(tmp_path: Path) -> None:
    with open_offers(tmp_path) as offers:
        with pytest.raises(InvalidInput, match=r"\$\.context\._label"):
            offers.decide({"_label": 1})
        with pytest.raises(InvalidInput, match="finite"):
            offers.reward("1", float("nan"))
        with pytest.raises(UnknownEvent):
            offers.audit("nobody")
        with pytest.raises(UnknownModel, match="no model yet"):
            offers.evaluate()
        assert offers.unread() == 0


def test_two_trainers_on_one_experiment(tmp_path: Path) -> None:
    with open_offers(tmp_path) as first, open_offers(tmp_path) as second:
        with first.trainer(), pytest.raises(DirectoryInUse):
            second.join()
        second.join()


def test_a_model_is_judged_beside_a_loop_on_what_that_joined_last(tmp_path: Path) -> None:
    clock = ManualClock()
    with open_offers(tmp_path, clock) as loop, open_offers(tmp_path, clock) as beside:
        play(loop, clock, 60, seed=1)
        model = loop.train()
        with loop.trainer():
            play(beside, clock, 20, seed=2)
            assert (beside.evaluate(model.model_id).n, beside.unread()) == (beside.report(model.model_id).gate.n, 40)
        assert beside.newest_data().n == 80


def test_changed_policy_settings_start_from_all_history(tmp_path: Path) -> None:
    clock = ManualClock()
    with open_offers(tmp_path, clock) as offers:
        play(offers, clock, 60, seed=1)
        first = offers.train()
    with open_offers(tmp_path, clock, "linucb") as offers:
        second = offers.train()
    assert (second.parent, second.n_trained) == (None, first.n_trained)
