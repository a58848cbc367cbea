"""Apprentice mode and logging only: the baseline is served and logged, and what is learned from it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest
from sklearn.datasets import load_digits

from rewardloop import Experiment, ExperimentSettings
from rewardloop.clock import SECOND, ManualClock
from rewardloop.deciding.baseline import Baseline
from rewardloop.errors import Conflict
from rewardloop.learning.imitation import decided_by_models, taught
from rewardloop.loop.status import statuses
from rewardloop.settings import RewardSettings

APPRENTICE = ExperimentSettings(
    experiment="offers", actions=None, mode="apprentice", reward=RewardSettings(range=(-1.0, 1.0)), ready_at=0.85
)


def rule(age: float) -> str:
    """The old system's."""
    return "red" if age < 40 else "green" if age < 60 else "blue"


def old_system(offers: Experiment, clock: ManualClock, n: int, seed: int, reward: float | None = None) -> list[str]:
    """It offers its own choice first; no reward is needed."""
    generator, ids = np.random.default_rng(seed), []
    for i in range(n):
        clock.advance(SECOND)
        age = float(generator.uniform(18, 80))
        first = rule(age)
        others = [name for name in ("red", "green", "blue") if name != first]
        decision = offers.decide({"age": age, rule(age): 0}, [first, *others], event_id=f"{seed}-{i}")
        assert (decision.pmf, decision.action, decision.probability) == ((1.0, 0.0, 0.0), 0, 1.0)
        if reward is not None:
            offers.reward(decision.event_id, reward)
        ids.append(decision.event_id)
    clock.advance(3_600 * SECOND)
    return ids


def test_an_apprentice_learns_the_old_rule_without_rewards_and_goes_on_from_it(tmp_path: Path) -> None:
    clock = ManualClock()
    with Experiment.open(APPRENTICE, tmp_path, clock=clock) as offers:
        ids = old_system(offers, clock, 2_000, seed=1)
        report = offers.turn()
        assert report.verdict == "ready"
        assert report.deployed
        assert all(offers.audit(event_id).same for event_id in ids[:3])
        (state,) = statuses(tmp_path)
        assert state.apprentice is not None
        assert state.apprentice.match_rate is not None
        assert state.apprentice.match_rate.lower > 0.85
        assert (state.apprentice.constant or 1.0) < 0.5
        assert offers.decide({"age": 20.0}, ["blue", "red", "green"]).variant == "apprentice"
    with Experiment.open(msgspec.structs.replace(APPRENTICE, mode="online"), tmp_path, clock=clock) as offers:
        decisions = [offers.decide({"age": age, rule(age): 0}, ["blue", "green", "red"]) for age in (20.0, 50.0, 70.0) * 30]
        likeliest = [int(np.argmax(decision.pmf)) for decision in decisions]
        assert {(d.model_id, d.variant) for d in decisions} == {("offers.1", "champion")}
        assert likeliest == [2, 1, 0] * 30
        for decision in decisions:
            offers.reward(decision.event_id, 0.5)
        clock.advance(SECOND)
        assert offers.train().parent == "offers.1"


def test_an_apprentice_of_a_labelled_world_matches_its_labels(tmp_path: Path) -> None:
    digits, clock = load_digits(), ManualClock()
    arms = tuple(map(str, range(10)))
    settings = ExperimentSettings(
        experiment="digits",
        actions=arms,
        mode="apprentice",
    )
    with Experiment.open(settings, tmp_path, clock=clock) as digit:
        for i, (pixels, label) in enumerate(zip(digits.data, digits.target, strict=True)):
            clock.advance(SECOND)
            excluded = [arm for arm in arms if arm < str(label)]  # so that the first that is left is the label
            digit.decide({f"p{j}": float(pixel) for j, pixel in enumerate(pixels)}, excluded=excluded, event_id=f"e{i}")
        clock.advance(3_600 * SECOND)
        digit.turn()
        (state,) = statuses(tmp_path)
        assert state.apprentice is not None
        assert state.apprentice.match_rate is not None
        assert state.apprentice.match_rate.value > 0.8
        assert (state.apprentice.constant or 1.0) < 0.2


def test_logging_only_logs_the_baseline_and_nothing_is_ever_learned_from_it(tmp_path: Path) -> None:
    clock = ManualClock()
    settings = msgspec.structs.replace(APPRENTICE, mode="logging_only")
    with Experiment.open(settings, tmp_path, clock=clock) as offers:
        ids = old_system(offers, clock, 30, seed=1, reward=1.0)
        data = offers.join()
        assert data.n == 30
        assert offers.run(max_cycles=0) == 0
        assert not offers._cycle.due(data, clock.now() + 86_400 * SECOND)
        with pytest.raises(Conflict, match="Nothing is learned"):
            offers.train()
        assert offers.audit(ids[0]).same
        (batch,) = data.interactions()
        assert len(taught(batch, None)) == len(decided_by_models(batch)) == 0
        assert offers.catalog.models("offers") == []


def test_a_named_baseline_is_served_wherever_it_may_be(tmp_path: Path) -> None:
    settings = msgspec.structs.replace(APPRENTICE, baseline="green")
    with Experiment.open(settings, tmp_path, clock=ManualClock()) as offers:
        offered = ["red", "green", "blue"]
        chosen = [
            offers.decide({}, offered),
            offers.decide({}, offered, excluded=["green"]),
            offers.decide({}, offered, excluded=["red", "green"]),
            offers.decide({}, ["blue", "red"]),
        ]
        assert [decision.action for decision in chosen] == [1, 0, 2, 0]
        assert {decision.variant for decision in chosen} == {"apprentice:green"}
        assert all(offers.audit(decision.event_id).same for decision in chosen)
        assert offers.decide_many([{}, {}], offered)[0].action == 1


def test_a_lesson_is_a_decision_with_the_probability_it_was_drawn_with(tmp_path: Path) -> None:
    clock = ManualClock()
    with Experiment.open(APPRENTICE, tmp_path, clock=clock) as offers:
        old_system(offers, clock, 2_000, seed=3)
        (logged,) = offers.join().interactions()
    lessons = taught(logged, (-1.0, 1.0))
    matches = lessons.action == logged.action
    assert abs(matches.mean() - 0.5) < 0.05
    assert np.array_equal(lessons.reward, np.where(matches, 1.0, -1.0))
    assert np.array_equal(lessons.probability, lessons.pmf[lessons.chosen])
    assert set(lessons.probability) == {0.5, 0.25}
    assert np.array_equal(taught(logged.take(np.arange(5, 9)), (-1.0, 1.0)).action, lessons.action[5:9])


def test_the_variant_tells_the_rule() -> None:
    for baseline in (Baseline("apprentice"), Baseline("logging_only", "a:b")):
        assert Baseline.of_variant(baseline.variant) == baseline
    assert Baseline.of_variant("champion") is None
