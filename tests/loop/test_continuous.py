"""A continuous action learned from the log: decided, logged with its density, joined, trained on, judged, audited."""

from __future__ import annotations

import math
from pathlib import Path
from threading import Event

import msgspec
import numpy as np
import pytest
from scipy.stats import chisquare, kstest

from rewardloop.cells import Cells
from rewardloop.clock import ManualClock
from rewardloop.errors import Conflict, InvalidInput, InvalidSettings
from rewardloop.loop.experiment import Experiment
from rewardloop.policies.native.cells import CellsPolicy
from rewardloop.settings import (
    ContinuousActions,
    Duration,
    ExperimentSettings,
    GateSettings,
    RewardSettings,
    TrainingSettings,
    parse_settings,
)
from rewardloop.worlds.setpoint import HIGH, LOW, Setpoint

HEATING = ExperimentSettings(
    experiment="heating",
    actions=ContinuousActions(low=LOW, high=HIGH, cells=15),
    reward=RewardSettings(range=(0.0, 1.0), window=Duration(60_000_000)),
    gate=GateSettings(min_events=10),
)


def played(experiment: Experiment, world: Setpoint, rows: range) -> float:
    losses = []
    for i in rows:
        decision = experiment.decide(world.contexts[i], event_id=f"e{i}")
        losses.append(world.loss(i, decision.values[0]))
        experiment.reward(decision.event_id, world.reward(i, decision.values[0]))
    return float(np.mean(losses))


def test_a_value_is_learned_judged_and_replayed(tmp_path: Path) -> None:
    world, clock = Setpoint.new(900, seed=5), ManualClock()
    with Experiment.open(HEATING, tmp_path, clock=clock) as heating:
        first = played(heating, world, range(600))
        clock.advance(1_000_000)
        heating.join()
        heating.train()
        report = heating.evaluate()
        assert report is not None
        heating.deploy("heating.1")
        clock.advance(1_000_000)
        assert isinstance(heating.modelling.load("heating.1"), CellsPolicy)
        assert played(heating, world, range(600, 900)) < first / 2
        decision = heating.decide(world.contexts[0])
        assert decision.density == pytest.approx(decision.probability)
        assert (decision.model_id, len(decision.pmf)) == ("heating.1", 15)
        best = heating.decide(world.contexts[0], explore=False)
        assert (best.density, best.probability) == (math.inf, 1.0)
        narrow = heating.decide(world.contexts[0], {"low": 24, "high": 26})
        assert 24 <= narrow.values[0] <= 26
        assert narrow.excluded == tuple(i for i in range(15) if i not in (4, 5))
        for each in (decision, best, narrow):
            assert heating.audit(each.event_id).same


def test_everything_else_that_an_experiment_does_knows_cells(tmp_path: Path) -> None:
    world, clock = Setpoint.new(300, seed=6), ManualClock()
    history, rows, scored = tmp_path / "history.jsonl", tmp_path / "rows.jsonl", tmp_path / "scored.jsonl"
    history.write_text('{"context": {"outdoor": 3}, "action": "4", "probability": 0.1, "reward": 0.5}\n')
    rows.write_text('{"context": {"outdoor": 3}}\n')
    with Experiment.open(HEATING, tmp_path / "data", clock=clock) as heating:
        assert heating.warm_start(history).imported == 1
        played(heating, world, range(300))
        clock.advance(1_000_000)
        heating.join()
        heating.train()
        heating.deploy("heating.1")
        clock.advance(1_000_000)
        event_id = heating.decide(world.contexts[0]).event_id
        assert heating.explain(events=40).model_id == "heating.1"
        assert heating.explain_event(event_id).event_id == event_id
        assert heating.report().subject.candidate == "heating.1"
        assert heating.score(rows, scored).scored == 1
        assert heating.export(tmp_path / "events.jsonl").refused == 0


def test_an_online_learner_learns_values(tmp_path: Path) -> None:
    settings = msgspec.structs.replace(HEATING, training=TrainingSettings(mode="online"))
    world, clock = Setpoint.new(200, seed=6), ManualClock()
    with Experiment.open(settings, tmp_path, clock=clock) as heating:
        played(heating, world, range(200))
        online = heating.online()
        clock.advance(1_000_000)
        online.step()
        clock.advance(1_000_000)
        assert heating.decide(world.contexts[0]).model_id != "heating.0"


def test_values_have_the_density_that_is_logged(tmp_path: Path) -> None:
    """10,000 decisions: χ² of the cells against the logged probabilities, Kolmogorov-Smirnov inside them; alpha .001 each."""
    with Experiment.open(HEATING, tmp_path, clock=ManualClock()) as heating:
        drawn = [heating.decide({"outdoor": 3.0}, {"low": 22.0, "high": 30.0}, event_id=f"e{i}") for i in range(10_000)]
    values = np.array([each.values[0] for each in drawn])
    assert {each.density for each in drawn} == {0.125}
    counts = np.bincount([each.action for each in drawn], minlength=15)
    assert counts[[0, 1, 10, 14]].tolist() == [0, 0, 0, 0]
    assert chisquare(counts[2:10]).pvalue > 0.001
    assert kstest((values - 22) % 1.0, "uniform").pvalue > 0.001
    cells = [each.action for each in drawn]
    assert [min(int(value - LOW), 14) for value in values] == cells


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ({"actions": {"low": 10, "high": 30}}, r"Expected 20 ≤ low < high ≤ 35, got low 10 .* at `\$\.actions`"),
        ({"actions": {"low": 30, "high": 30}}, "low < high"),
        ({"actions": {"low": 22.1, "high": 22.9}}, "room for a cell"),
        ({"actions": {"low": 22.1}}, "continuous"),
        ({"actions": ["1", "2"]}, "continuous"),
        ({"actions": {"low": "a", "high": 30}}, r"at `\$\.actions\.low`"),
        ({"top_k": 2}, "no rankings"),
    ],
)
def test_a_request_that_asks_for_what_is_not_there_is_refused_and_nothing_is_logged(
    part: dict[str, object], words: str, tmp_path: Path
) -> None:
    with Experiment.open(HEATING, tmp_path) as heating:
        with pytest.raises(InvalidInput, match=words):
            heating.decide({}, **part)  # type: ignore[arg-type]
        assert heating.join().n == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("actions: {low: 35, high: 20, cells: 8}", "`low` below `high`"),
        ("actions: {low: [1, 2], high: [3, 4], cells: 8}", "one number"),
        ("actions: {low: 1, high: 2, cells: 1}", r"at `\$\.actions\.cells`"),
        ("actions: {low: 1, high: .inf, cells: 4}", r"at `\$\.actions"),
        ("actions: {low: 1, high: 2, cells: 4}\nmode: apprentice", "have none"),
    ],
)
def test_settings_of_a_range_that_is_none_are_refused(text: str, words: str) -> None:
    with pytest.raises(InvalidSettings, match=words):
        parse_settings(text, "heating.yaml")


def test_a_range_cannot_change_under_its_log(tmp_path: Path) -> None:
    with Experiment.open(HEATING, tmp_path):
        pass
    other = ExperimentSettings(experiment="heating", actions=ContinuousActions(low=LOW, high=40.0, cells=15))
    with pytest.raises(Conflict, match="actions from 20 to 35 in 15 cells"):
        Experiment.open(other, tmp_path)


def test_cells_that_lie_wholly_inside_are_left() -> None:
    assert Cells(0.0, 1.0, 10).outside(0.3, 0.6, "$") == (0, 1, 2, 6, 7, 8, 9)
    assert Cells(0.0, 1.0, 10).outside(0.25, 0.65, "$") == (0, 1, 2, 6, 7, 8, 9)
    assert Cells(0.0, 1.0, 10).outside(0.0, 1.0, "$") == ()


def test_where_nothing_is_learned_from_the_log_the_loop_joins_and_goes_on(tmp_path: Path) -> None:
    box = ExperimentSettings(
        experiment="box", actions=ContinuousActions(low=(0.0, 0.0), high=(1.0, 2.0)), training=TrainingSettings(every_events=1)
    )
    stop = Event()
    with Experiment.open(box, tmp_path) as heating:
        heating.reward(heating.decide({"outdoor": 3.0}).event_id, 1.0)
        assert heating.run(stop, on_rest=stop.set) == 0
        assert heating.ledger().decisions == 1
