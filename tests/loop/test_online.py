"""Online learning: a reward changes what is served within moments, a new champion becomes the base, a restart loses nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from rewardloop import Experiment, ExperimentSettings
from rewardloop.clock import SECOND, ManualClock
from rewardloop.registry.names import model_name
from rewardloop.settings import GateSettings, TrainingSettings

SETTINGS = ExperimentSettings(
    experiment="offers", actions=2, training=TrainingSettings(mode="online", ratio=1.0), gate=GateSettings(rule="always")
)


def play(offers: Experiment, clock: ManualClock, n: int, seed: int) -> float:
    generator = np.random.default_rng(seed)
    earned = 0.0
    for i in range(n):
        clock.advance(SECOND)
        age = float(generator.uniform())
        decision = offers.decide({"age": age}, event_id=f"{seed}-{i}")
        earned += (right := float(decision.action == int(age > 0.5)))
        offers.reward(decision.event_id, right)
    clock.advance(SECOND)
    return earned / n


def test_a_reward_is_learned_and_served(tmp_path: Path) -> None:
    clock = ManualClock()
    with Experiment.open(SETTINGS, tmp_path, clock=clock) as offers:
        offers.join()
        online = offers.online()
        for seed in range(10):
            play(offers, clock, 20, seed)
            while online.step():
                pass
        assert play(offers, clock, 100, 99) > 0.85
        assert model_name(offers.decide({"age": 0.1}).model_id) == ("offers", 0, 10)


def test_snapshots_stand_on_the_champion_and_never_on_each_other(tmp_path: Path) -> None:
    clock = ManualClock()
    with Experiment.open(SETTINGS, tmp_path, clock=clock) as offers:
        offers.join()
        online = offers.online()
        play(offers, clock, 30, 0)
        online.step()
        offers.turn()
        play(offers, clock, 5, 1)
        online.step()
        snapshot, _ = offers.modelling.store.open("offers.1+1")
        assert (snapshot.parent, snapshot.n_trained) == ("offers.1", 5)


def test_a_restart_learns_what_closed_since_the_champion_once(tmp_path: Path) -> None:
    clock = ManualClock()
    with Experiment.open(SETTINGS, tmp_path, clock=clock) as offers:
        play(offers, clock, 30, 0)
        offers.turn()
        first = offers.online()
        play(offers, clock, 40, 1)
        first.step()
        assert offers.decide({"age": 0.1}).model_id == "offers.1+1"
        offers.join()
        play(offers, clock, 3, 2)
        again = offers.online()
        again.step()
        record, _ = offers.modelling.store.open("offers.1+2")
        assert record.n_trained == 43


def test_events_open_at_the_start_are_learned_when_they_close(tmp_path: Path) -> None:
    clock = ManualClock()
    with Experiment.open(SETTINGS, tmp_path, clock=clock) as offers:
        waiting = offers.decide({"age": 0.1})
        clock.advance(SECOND)
        offers.join()
        online = offers.online()
        offers.reward(waiting.event_id, 1.0)
        clock.advance(SECOND)
        online.step()
        assert offers.modelling.store.open("offers.0+1")[0].n_trained == 1
        clock.advance(2 * SETTINGS.reward.window)
        offers.decide({"age": 0.2})
        clock.advance(2 * SETTINGS.reward.window)
        online.step()
        assert offers.modelling.store.open("offers.0+2")[0].n_trained == 2
