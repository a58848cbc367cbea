"""A change of the world: the default recovers, and the loop and its status say so."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest

from rewardloop import Experiment, ExperimentSettings
from rewardloop.clock import SECOND, ManualClock
from rewardloop.evaluation import GateReport
from rewardloop.loop.cycle import CycleReport
from rewardloop.loop.drifting import excused
from rewardloop.loop.status import statuses


def batch(experiment: Experiment, clock: ManualClock, dice: np.random.Generator, best: str, name: str) -> tuple[float, CycleReport]:
    earned = 0.0
    for i in range(250):
        clock.advance(SECOND)
        decision = experiment.decide({"x": float(dice.normal())}, event_id=f"{name}-{i}")
        reward = float(dice.random() < (0.9 if ("a", "b")[decision.action] == best else 0.1))
        experiment.reward(decision.event_id, reward)
        earned += reward
    clock.advance(SECOND)
    return earned / 250, experiment.turn()


@pytest.mark.parametrize("changes", [True, False])
def test_half_way_the_best_arm_changes(tmp_path: Path, changes: bool) -> None:
    clock, dice = ManualClock(), np.random.default_rng(0)
    with Experiment.open(ExperimentSettings(experiment="offers", actions=("a", "b")), tmp_path, clock=clock) as experiment:
        before = [batch(experiment, clock, dice, "a", f"before{i}") for i in range(6)]
        after = [batch(experiment, clock, dice, "b" if changes else "a", f"after{i}") for i in range(6)]
    assert before[-1][0] > 0.8
    assert after[-1][0] > 0.8
    assert sum(earned for earned, _ in after) / 6 > (0.45 if changes else 0.85)
    told = " ".join(report.drift for _, report in after)
    assert ("forgot the past" in told) == changes
    assert ("the reward of an action moved" in told) == changes
    assert all(report.drift == "" for _, report in before)
    assert statuses(tmp_path, "offers")[0].drift == after[-1][1].drift


@pytest.mark.parametrize("rule", ["strict", "always"])
def test_only_a_gate_that_asks_for_no_harm_is_lenient(rule: str) -> None:
    report = msgspec.convert(
        {
            "verdict": "insufficient_support",
            "summary": "Insufficient support.",
            "rule": rule,
            "estimator": "dr",
            "rules": [],
            "n": 0,
            "excluded": {},
            "candidate": {},
            "hosted": None,
            "logged": None,
            "difference": None,
            "support": None,
        },
        GateReport,
    )
    assert excused(report) == report
    assert excused(msgspec.structs.replace(report, rule="no_harm")).passed
    assert not excused(msgspec.structs.replace(report, rule="no_harm", verdict="keep")).passed
