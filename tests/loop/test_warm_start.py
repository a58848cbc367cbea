"""History of an existing system is learned from and evaluated on like any other event."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from rewardloop import Experiment, ExperimentSettings
from rewardloop.clock import SECOND, ManualClock
from rewardloop.settings import RewardSettings

OFFERS = ExperimentSettings(experiment="offers", actions=("red", "green"))


def write(path: Path, rows: int, probability: bool) -> None:
    generator = np.random.default_rng(0)
    lines = ["age,os,action,reward" + (",probability" if probability else "")]
    for _ in range(rows):
        age, action = generator.uniform(18, 80), int(generator.integers(2))
        right = int(action == int(age > 50))
        lines.append(f"{age:.2f},ios,{('red', 'green')[action]},{right}" + (",0.5" if probability else ""))
    path.write_text("\n".join([*lines, "31,ios,blue,1" + (",0.5" if probability else "")]) + "\n")


def test_the_first_model_comes_from_history(tmp_path: Path) -> None:
    clock = ManualClock()
    write(tmp_path / "history.csv", 400, probability=True)
    with Experiment.open(OFFERS, tmp_path / "data", clock=clock) as offers:
        report = offers.warm_start(tmp_path / "history.csv")
        assert (report.rows, report.imported, report.probability_estimated) == (401, 400, 0)
        assert [skipped.n for skipped in report.skipped.values()] == [1]
        clock.advance(SECOND)
        cycle = offers.turn()
        assert (cycle.n_events, cycle.deployed) == (400, True)
        clock.advance(SECOND)
        young = [offers.decide({"age": 25.0, "os": "ios"}, event_id=f"e{i}").action for i in range(50)]
        assert sum(young) < 10
        again = offers.warm_start(tmp_path / "history.csv")
        assert (again.imported, offers.join().n) == (0, 400)


def test_a_missing_probability_is_estimated_and_said(tmp_path: Path) -> None:
    clock = ManualClock()
    write(tmp_path / "history.csv", 100, probability=False)
    with Experiment.open(OFFERS, tmp_path / "data", clock=clock) as offers:
        report = offers.warm_start(tmp_path / "history.csv")
        clock.advance(SECOND)
        (batch,) = offers.join().interactions()
    assert report.probability_estimated == 100
    frequency = np.bincount(batch.action) / len(batch)
    np.testing.assert_allclose(batch.probability, frequency[batch.action])


def test_history_is_closed_at_once_where_events_wait_for_their_window(tmp_path: Path) -> None:
    clock = ManualClock()
    write(tmp_path / "history.csv", 50, probability=True)
    clicks = ExperimentSettings(experiment="offers", actions=("red", "green"), reward=RewardSettings(closes="window"))
    with Experiment.open(clicks, tmp_path / "data", clock=clock) as offers:
        offers.warm_start(tmp_path / "history.csv")
        decision = offers.decide({"age": 31.0})
        offers.reward(decision.event_id, 1.0)
        clock.advance(SECOND)
        assert offers.join().n == 50
        clock.advance(clicks.reward.window)
        assert offers.join().n == 51
