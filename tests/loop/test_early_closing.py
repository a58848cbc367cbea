"""Clicks without zeros: the loop says that young events are a biased sample, and waiting for the window mends it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from rewardloop import Experiment, ExperimentSettings
from rewardloop.clock import SECOND, ManualClock
from rewardloop.settings import Duration, GateSettings, RewardSettings, TrainingSettings

WINDOW = 100


def visited(offers: Experiment, clock: ManualClock, n: int) -> None:
    """Eight quarters of a window with n visits each, a fifth of which is clicked."""
    generator = np.random.default_rng(0)
    for quarter in range(8):
        for i in range(n):
            decision = offers.decide({"age": 31.0}, event_id=f"{quarter}-{i}")
            if generator.random() < 0.2:
                offers.reward(decision.event_id, 1.0)
        clock.advance(WINDOW // 4 * SECOND)


def clicks(data: Path, closes: Literal["early", "window"]) -> tuple[float, str]:
    """Mean reward of what has closed, half the events being younger than the window, and what the loop says of it."""
    reward = RewardSettings(window=Duration(WINDOW * SECOND), closes=closes)
    settings = ExperimentSettings(experiment="offers", actions=2, reward=reward, gate=GateSettings(rule="always"))
    clock = ManualClock()
    with Experiment.open(settings, data, clock=clock) as offers:
        visited(offers, clock, 50)
        report = offers.turn()
        rewards = np.concatenate([batch.reward for batch in offers.join().interactions()])
    return float(rewards.mean()), report.warning


def test_early_closing_is_biased_and_said_so(tmp_path: Path) -> None:
    mean, warning = clicks(tmp_path, "early")
    assert mean > 0.25
    assert "reward.closes: window" in warning


def test_waiting_for_the_window_is_not(tmp_path: Path) -> None:
    mean, warning = clicks(tmp_path, "window")
    # 250 events of which a fifth is clicked: four standard errors.
    assert mean == pytest.approx(0.2, abs=0.1)
    assert warning == ""


def test_the_gate_looks_only_at_events_whose_window_is_over(tmp_path: Path) -> None:
    """Of the younger ones only the clicked have closed: their mean reward is 1, that of all is a fifth."""
    reward = RewardSettings(window=Duration(WINDOW * SECOND), closes="early")
    gate, training = GateSettings(rule="always"), TrainingSettings(ratio=0.1)
    settings = ExperimentSettings(experiment="offers", actions=2, reward=reward, gate=gate, training=training)
    clock = ManualClock()
    with Experiment.open(settings, tmp_path, clock=clock) as offers:
        visited(offers, clock, 60)
        offers.turn()
        report = offers.evaluate()
        closed = next(offers.join().interactions(split="eval", ratio=0.1))
    assert report.logged is not None
    assert closed.reward.mean() > 0.25
    assert 200 < report.n < len(closed)
    # Some 220 events of which a fifth is clicked: three standard errors.
    assert report.logged.value == pytest.approx(0.2, abs=0.08)
