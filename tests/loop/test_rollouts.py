"""Trials in the loop: a worse challenger is taken back, a good one comes into service, and the pointer follows the catalog."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from threading import Event

import numpy as np
import pytest

from rewardloop import Experiment, ExperimentSettings
from rewardloop.actions import ActionSet
from rewardloop.clock import SECOND, ManualClock
from rewardloop.errors import Conflict, CorruptModel, InvalidInput
from rewardloop.evaluation.randomised.harm import effect
from rewardloop.features import Features
from rewardloop.loop.probing import probe
from rewardloop.loop.status import statuses
from rewardloop.loop.trials.checks import n_closed, randomised
from rewardloop.policies.contract import Policy
from rewardloop.policies.uniform import UniformPolicy
from rewardloop.registry import Challenger, Hosted, ModelRecord, RolloutStep, read_hosted
from rewardloop.serving.deaths import Deaths
from rewardloop.settings import GateSettings, RewardSettings, RolloutSettings, TrainingSettings

REWARD = RewardSettings(range=(0.0, 1.0))


def settings(mode: str = "direct", **rollout: object) -> ExperimentSettings:
    usual = {"min_events": 100, "share": 0.5, "steps": (0.2, 0.6), **rollout}
    return ExperimentSettings(
        experiment="offers",
        actions=("red", "green"),
        reward=REWARD,
        training=TrainingSettings(every_events=200),
        gate=GateSettings(rule="always"),
        rollout=RolloutSettings(mode=mode, **usual),  # type: ignore[arg-type]
    )


def play(offers: Experiment, clock: ManualClock, n: int, seed: int, *, rewarded: bool = True) -> Counter[str]:
    """Red is right for the young, green for the old; how often each variant decided."""
    generator, variants = np.random.default_rng(seed), Counter[str]()
    for i in range(n):
        clock.advance(SECOND)
        age = float(generator.uniform(18, 80))
        decision = offers.decide({"age": age, "user": f"u{generator.integers(200)}"}, event_id=f"{seed}-{i}")
        variants[decision.variant] += 1
        if rewarded:
            offers.reward(decision.event_id, float(decision.action == int(age > 50)))
    clock.advance(SECOND)
    return variants


def made(offers: Experiment, n: int, policy: Policy) -> str:
    """A model of the registry."""
    stage = offers.modelling.store.stage()
    policy.save(stage)
    record = ModelRecord(
        model_id=f"offers.{n}", experiment="offers", parent=None, created_at=offers.clock.now(), watermark=offers.clock.now(),
        dataset="", n_trained=0, settings=offers.settings, metrics={}, golden=(), files={},
    )  # fmt: skip
    offers.catalog.add_model(offers.modelling.store.commit(stage, record))
    return record.model_id


def looked(offers: Experiment) -> RolloutStep | None:
    with offers.trainer():
        return offers.rollouts.advance(offers._cycle.join())


def with_champion(data: Path, clock: ManualClock, chosen: ExperimentSettings) -> Experiment:
    """A trained model is hosted."""
    offers = Experiment.open(chosen, data, clock=clock)
    play(offers, clock, 300, seed=1)
    offers.deploy(offers.train().model_id)
    return offers


def test_a_worse_challenger_is_taken_back_with_the_numbers(tmp_path: Path) -> None:
    clock = ManualClock()
    with with_champion(tmp_path, clock, settings()) as offers:
        offers.canary(made(offers, 2, UniformPolicy()))
        assert play(offers, clock, 100, seed=2)["challenger"] > 20
        assert looked(offers) is None
        play(offers, clock, 700, seed=3)
        done = looked(offers)
        assert done is not None
        assert (done.kind, done.challenger, done.champion) == ("roll back", "offers.2", "offers.1")
        assert done.numbers["reward_upper"] < 0
        assert "is worse" in done.reason
        assert read_hosted(offers.directory.hosted) == Hosted(model_id="offers.1")
        assert set(play(offers, clock, 20, seed=4)) == {"champion"}
        (state,) = statuses(tmp_path)
        assert [step.kind for step in state.rollouts] == ["canary", "roll back"]


def test_a_ramp_ends_in_promotion(tmp_path: Path) -> None:
    clock = ManualClock()
    with with_champion(tmp_path, clock, settings(tolerance=0.05)) as offers:
        play(offers, clock, 300, seed=9)
        challenger = offers.train().model_id
        offers.ramp(challenger)
        shares = []
        for seed in range(2, 9):
            variants = play(offers, clock, 400, seed=seed)
            shares.append(variants["challenger"] / 400)
            step = looked(offers)
            if step is not None and step.kind == "promote":
                break
        assert [step.kind for step in offers.catalog.rollouts("offers")] == ["ramp", "ramp", "promote"]
        assert shares[0] < 0.3 < shares[-1]
        hosted = offers.catalog.hosted("offers")
        assert hosted is not None
        assert (hosted.model_id, hosted.reason) == (challenger, "rollout")
        assert read_hosted(offers.directory.hosted) == Hosted(model_id=challenger)
        offers.roll_back()
        assert read_hosted(offers.directory.hosted) == Hosted(model_id="offers.1")


@pytest.mark.parametrize("mode", ["shadow", "canary", "ramp"])
def test_the_loop_tries_what_passed_the_gate_and_then_hosts_it(tmp_path: Path, mode: str) -> None:
    clock = ManualClock()
    with Experiment.open(settings(mode, tolerance=0.05), tmp_path, clock=clock) as offers:
        play(offers, clock, 300, seed=1)
        report = offers.turn()
        assert (report.deployed, report.on_trial) == (False, True)
        assert offers.catalog.hosted("offers") is None
        for seed in range(2, 8):
            play(offers, clock, 400, seed=seed)
            step = looked(offers)
            if step is not None and step.kind == "promote":
                break
        hosted = offers.catalog.hosted("offers")
        assert hosted is not None
        assert hosted.model_id == "offers.1"
        assert offers.catalog.rollouts("offers")[0].kind == mode


def test_a_model_that_waited_for_a_trial_to_end_is_announced_when_its_own_begins(tmp_path: Path) -> None:
    clock = ManualClock()
    with with_champion(tmp_path, clock, settings("canary")) as offers:
        play(offers, clock, 300, seed=2)
        offers.canary(offers.train().model_id)
        play(offers, clock, 300, seed=3)
        assert offers.turn().on_trial is False
        offers.abort()
        steps, stop = list[RolloutStep](), Event()
        offers.run(stop, on_step=lambda step: (steps.append(step), stop.set())[0], on_rest=stop.set)
        assert [(step.kind, step.challenger) for step in steps] == [("canary", "offers.3")]


def test_a_model_that_raises_at_its_probe_is_refused_in_one_line(tmp_path: Path) -> None:
    class Raising(UniformPolicy):
        def pmf(self, context: Features, actions: ActionSet) -> Sequence[float]:
            raise OSError("the feature store is down")

    with with_champion(tmp_path, ManualClock(), settings()) as offers:
        record = offers.catalog.model("offers.1")
        with pytest.raises(CorruptModel, match=r"offers\.1` fails golden request 0: OSError: the feature store is down"):
            probe(Raising(), record)


def test_a_shadow_that_would_earn_less_is_taken_back_without_having_served(tmp_path: Path) -> None:
    clock = ManualClock()
    with with_champion(tmp_path, clock, settings()) as offers:
        offers.shadow(made(offers, 2, UniformPolicy()))
        assert set(play(offers, clock, 900, seed=2)) == {"champion"}
        offers._following.save()
        (state,) = statuses(tmp_path)
        assert state.trial is not None
        assert state.trial.agreement is not None
        assert 100 < state.trial.n_challenger < 400
        done = looked(offers)
        assert done is not None
        assert (done.kind, done.numbers["reward_n"]) == ("roll back", 900)


def test_events_without_reward_wait_for_the_window_in_both_variants(tmp_path: Path) -> None:
    clock = ManualClock()
    with with_champion(tmp_path, clock, settings()) as offers:
        offers.canary(made(offers, 2, UniformPolicy()))
        play(offers, clock, 400, seed=2, rewarded=False)
        step = offers.rollouts.current()
        assert step is not None
        with offers.trainer():
            assert len(offers._cycle.join().follow(step.trial)) == 0
        clock.advance(3_600 * SECOND)
        with offers.trainer():
            assert len(offers._cycle.join().follow(step.trial)) == 400


def test_a_challenger_that_errs_is_taken_back_by_a_look_without_a_join(tmp_path: Path) -> None:
    clock = ManualClock()
    with with_champion(tmp_path, clock, settings()) as offers:
        offers.canary(made(offers, 2, UniformPolicy()))
        play(offers, clock, 10, seed=2)
        trial = offers._following.current().trial
        assert trial is not None
        trial.counts.failed(RuntimeError("no such table"))
        trial.counts.failed(ValueError("another"))
        offers._following.save()
        done = offers.rollouts.watch()
        assert done is not None
        assert (done.kind, done.reason[:9]) == ("roll back", "It failed")
        assert "decisions (RuntimeError: no such table); 0.00% is tolerated" in done.reason


def test_a_challenger_that_no_process_can_load_is_taken_back(tmp_path: Path) -> None:
    clock = ManualClock()
    with with_champion(tmp_path, clock, settings()) as offers:
        challenger = made(offers, 2, UniformPolicy())
        offers.canary(challenger)
        (offers.directory.models / challenger / "model.json").write_text("{}")
        assert set(play(offers, clock, 10, seed=2)) == {"champion"}
        offers._following.save()
        done = offers.rollouts.watch()
        assert done is not None
        assert "could not take it" in done.reason


def test_sticky_variants_are_judged_by_user(tmp_path: Path) -> None:
    clock = ManualClock()
    with with_champion(tmp_path, clock, settings(sticky="user")) as offers:
        offers.canary(made(offers, 2, UniformPolicy()))
        play(offers, clock, 900, seed=2)
        done = looked(offers)
        assert done is not None
        assert (done.kind, done.sticky) == ("roll back", "user")
        assert 0 < done.numbers["reward_n"] < 900


def test_what_requests_say_is_judged_by_it_and_found_again_by_the_audit(tmp_path: Path) -> None:
    clock, variants = ManualClock(), dict[str, set[str]]()
    with with_champion(tmp_path, clock, settings()) as offers:
        offers.canary(made(offers, 2, UniformPolicy()))
        play(offers, clock, 100, seed=3)
        for i in range(900):
            clock.advance(SECOND)
            age, household = float(i % 60 + 18), f"household {i % 150}"
            decision = offers.decide({"age": age}, event_id=f"own-{i}", sticky=household)
            variants.setdefault(household, set()).add(decision.variant)
            offers.reward(decision.event_id, float(decision.action == int(age > 50)))
        clock.advance(SECOND)
        done = looked(offers)
        found = offers.audit("own-17")
        assert done is not None
        assert done.kind == "roll back"
        assert 0 < done.numbers["reward_n"] < 900
    assert all(len(met) == 1 for met in variants.values())
    assert found.turn is not None
    assert (found.same, found.sticky, found.turn.key) == (True, "household 17", "sticky=household 17")
    assert (found.turn.draw < found.turn.share) == (found.variant == "challenger")


def test_another_deployment_ends_the_trial_for_good(tmp_path: Path) -> None:
    clock = ManualClock()
    with with_champion(tmp_path, clock, settings()) as offers:
        second, third = made(offers, 2, UniformPolicy()), made(offers, 3, UniformPolicy())
        offers.canary(second)
        with pytest.raises(Conflict, match=r"`offers\.2` is on trial already"):
            offers.shadow(third)
        offers.deploy(third)
        offers.roll_back()
        assert offers.rollouts.current() is None
        assert read_hosted(offers.directory.hosted) == Hosted(model_id="offers.1")
        assert offers.catalog.rollouts("offers")[-1].reason == "`offers.3` was deployed"


def test_what_cannot_be_tried_is_refused_with_a_sentence(tmp_path: Path) -> None:
    clock = ManualClock()
    with with_champion(tmp_path, clock, settings()) as offers:
        with pytest.raises(Conflict, match="hosted already"):
            offers.canary("offers.1")
        with pytest.raises(InvalidInput, match="no trained model"):
            offers.canary("offers.0")
        with pytest.raises(InvalidInput, match="above 0 and below 1"):
            offers.canary(made(offers, 2, UniformPolicy()), share=1.0)
        for verb in (offers.promote, offers.abort):
            with pytest.raises(Conflict, match="on trial, found none"):
                verb()
        assert offers.catalog.rollouts("offers") == []


@pytest.mark.parametrize("cut", ["record", "point", "deploy"])
def test_a_kill_between_two_writes_is_put_right(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cut: str) -> None:
    clock = ManualClock()
    with with_champion(tmp_path, clock, settings()) as offers:
        offers.canary(made(offers, 2, UniformPolicy()))

        def killed(*_: object) -> None:
            raise KeyboardInterrupt

        owner, name = {
            "record": (offers.catalog, "record_rollout"),
            "point": (offers.deploying, "_point"),
            "deploy": (offers.catalog, "record_deployment"),
        }[cut]
        with monkeypatch.context() as patch:
            patch.setattr(owner, name, killed)
            with pytest.raises(KeyboardInterrupt):
                offers.promote()
        with offers.trainer():
            offers._cycle.resume(offers._cycle.join())
        pointer, hosted, step = read_hosted(offers.directory.hosted), offers.catalog.hosted("offers"), offers.rollouts.current()
        assert pointer is not None
        assert hosted is not None
        if cut == "deploy":
            assert step is not None
            assert pointer.challenger == Challenger(model_id="offers.2", trial=step.trial, share=0.5, scored=step.scored)
        else:
            assert (hosted.model_id, step) == ("offers.2", None)
            assert pointer == Hosted(model_id="offers.2")
            assert offers.catalog.rollouts("offers")[-1].kind == "promote"


def test_an_ab_test_that_a_won_is_over_and_says_so_for_ever(tmp_path: Path) -> None:
    clock = ManualClock()
    with with_champion(tmp_path, clock, settings()) as offers:
        step = offers.ab_test(made(offers, 2, UniformPolicy()))
        assert (step.kind, step.share, step.champion) == ("ab", 0.5, "offers.1")
        with pytest.raises(Conflict, match="on trial already"):
            offers.ab_test("offers.2", a="offers.0")
        play(offers, clock, 100, seed=2)
        assert offers.ab_report().winner == "too few"
        variants = play(offers, clock, 1200, seed=3)
        assert 480 < variants["challenger"] < 720
        assert offers.ab_report().winner == "a"
        done = looked(offers)
        assert done is not None
        assert (done.kind, done.reason.startswith("Decided: A (offers.1) earns more")) == ("roll back", True)
        assert read_hosted(offers.directory.hosted) == Hosted(model_id="offers.1")
        before = offers.ab_report()
        play(offers, clock, 300, seed=4)
        assert offers.ab_report() == before


def test_an_ab_test_that_b_won_waits_to_be_promoted(tmp_path: Path) -> None:
    clock = ManualClock()
    with with_champion(tmp_path, clock, settings()) as offers:
        assert offers.ab_test("offers.1", a="offers.0", share=0.3).champion == "offers.0"
        assert 0.2 < play(offers, clock, 1500, seed=2)["challenger"] / 1500 < 0.4
        assert looked(offers) is None
        found = offers.ab_report()
        assert (found.winner, found.a, found.b, found.share) == ("b", "offers.0", "offers.1", 0.3)
        offers.promote()
        assert read_hosted(offers.directory.hosted) == Hosted(model_id="offers.1")
        offers.roll_back()
        assert read_hosted(offers.directory.hosted) == Hosted(model_id="offers.0")


def test_an_aa_test_goes_on_until_it_is_aborted(tmp_path: Path) -> None:
    clock = ManualClock()
    with with_champion(tmp_path, clock, settings()) as offers:
        offers.ab_test("offers.1", sticky="user")
        variants = play(offers, clock, 1200, seed=2)
        assert 300 < variants["challenger"] < 900
        assert looked(offers) is None
        offers.rollouts.reconcile()
        found = offers.ab_report()
        assert (found.winner, found.a == found.b) == ("undecided", True)
        offers.abort()
        assert read_hosted(offers.directory.hosted) == Hosted(model_id="offers.1")


def test_without_an_ab_test_there_is_none_to_report(tmp_path: Path) -> None:
    with with_champion(tmp_path, ManualClock(), settings()) as offers:
        with pytest.raises(Conflict, match="--b MODEL"):
            offers.ab_report()
        with pytest.raises(InvalidInput, match="share"):
            offers.ab_test("offers.1", share=1.0)


def test_a_promotion_that_was_a_mistake_is_taken_back_by_the_share_held_back(tmp_path: Path) -> None:
    clock = ManualClock()
    with with_champion(tmp_path, clock, settings(hold_back=0.2)) as offers:
        offers.canary(made(offers, 2, UniformPolicy()))
        offers.promote()
        step = offers.rollouts.current()
        assert step is not None
        assert (step.kind, step.champion, step.challenger, step.share) == ("hold back", "offers.2", "offers.1", 0.2)
        with pytest.raises(Conflict, match="rollback"):
            offers.promote()
        variants = play(offers, clock, 1200, seed=3)
        assert 0.1 < variants["challenger"] / 1200 < 0.3
        done = looked(offers)
        assert done is not None
        assert (done.kind, done.reason.startswith("`offers.2`, promoted: Reward -0.")) == ("roll back", True)
        assert read_hosted(offers.directory.hosted) == Hosted(model_id="offers.1")
        assert offers.rollouts.tried("offers.2")
        assert offers.roll_back().model_id == "offers.0"


def test_a_promotion_that_was_right_ends_what_was_held_back(tmp_path: Path) -> None:
    clock = ManualClock()
    with Experiment.open(settings(hold_back=0.3), tmp_path, clock=clock) as offers:
        play(offers, clock, 300, seed=1)
        assert offers.turn().deployed
        step = offers.rollouts.current()
        assert step is not None
        assert (step.kind, step.champion, step.challenger) == ("hold back", "offers.1", "offers.0")
        play(offers, clock, 800, seed=2)
        done = looked(offers)
        assert done is not None
        assert (done.kind, "no harm is found" in done.reason) == ("abort", True)
        assert read_hosted(offers.directory.hosted) == Hosted(model_id="offers.1")


def test_what_is_held_back_gives_way_to_the_next_model(tmp_path: Path) -> None:
    clock = ManualClock()
    with Experiment.open(settings(hold_back=0.3), tmp_path, clock=clock) as offers:
        play(offers, clock, 300, seed=1)
        offers.turn()
        play(offers, clock, 100, seed=2)
        assert offers.turn().deployed
        step = offers.rollouts.current()
        assert step is not None
        assert (step.champion, step.challenger) == ("offers.2", "offers.1")
        offers.canary(made(offers, 3, UniformPolicy()))
        assert [each.kind for each in offers.catalog.rollouts("offers")] == ["hold back", "abort", "hold back", "abort", "canary"]


def test_a_roll_back_by_what_was_held_back_that_was_cut_off_is_finished(tmp_path: Path) -> None:
    clock = ManualClock()
    with with_champion(tmp_path, clock, settings(hold_back=0.2)) as offers:
        offers.canary(made(offers, 2, UniformPolicy()))
        offers.promote()
        offers.deploying.deploy("offers.1", "roll back", by_trial=True)
        offers.rollouts.reconcile()
        last = offers.catalog.rollouts("offers")[-1]
        assert (last.kind, last.reason) == ("roll back", "finished what was cut off")


def test_a_challenger_beside_which_processes_die_is_taken_back(tmp_path: Path) -> None:
    clock = ManualClock()
    with with_champion(tmp_path, clock, settings()) as offers:
        deaths = Deaths(tmp_path, "supervisor-1")
        deaths.count()
        offers.shadow(made(offers, 2, UniformPolicy()))
        deaths.count()
        deaths.count()
        assert offers.rollouts.watch() is None
        deaths.count()
        done = offers.rollouts.watch()
        assert done is not None
        assert (done.kind, done.reason) == ("roll back", "3 serving processes died while it was on trial.")


def test_the_slots_of_a_decision_are_one_observation_of_a_trial(tmp_path: Path) -> None:
    """A visitor clicks everywhere or nowhere: taken for two visitors, the interval would be narrower than it must be, by √2."""
    clock, slots = ManualClock(), [{"id": "top"}, {"id": "side"}]
    with with_champion(tmp_path, clock, settings()) as offers:
        step = offers.canary(made(offers, 2, UniformPolicy()))
        for i in range(300):
            clock.advance(SECOND)
            decision = offers.decide({"age": 30.0}, slots=slots, event_id=f"visit-{i}")
            for slot in slots:
                offers.reward(decision.event_id, float(i % 2), slot=str(slot["id"]))
        clock.advance(SECOND)
        followed = offers.join().follow(step.trial)
        drawn = randomised([step], followed)
        assert drawn.key is not None
        assert (len(drawn.reward), len(np.unique(drawn.key))) == (600, 300)
        assert n_closed(step, followed) == int(drawn.challenged.sum()) / 2
        width, as_if = (
            found.upper - found.lower for found in (effect(drawn, 0.95, 600), effect(drawn._replace(key=None), 0.95, 600))
        )
        assert width == pytest.approx(2**0.5 * as_if, rel=0.05)
