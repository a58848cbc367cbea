"""The loop that runs for ever: killed at any instant, it carries on with nothing lost and nothing trained twice."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from threading import Event

import numpy as np
import pytest

from rewardloop import Experiment, ExperimentSettings
from rewardloop.clock import SECOND, ManualClock
from rewardloop.errors import StorageUnavailable, UnknownModel
from rewardloop.log import Cursor
from rewardloop.loop.cycle import CycleReport
from rewardloop.loop.tidying import tidy
from rewardloop.registry.pointer import Hosted, read_hosted
from rewardloop.settings import Duration, GateSettings, LogSettings, TrainingSettings, example_yaml

SETTINGS = ExperimentSettings(
    experiment="offers",
    actions=2,
    training=TrainingSettings(every_events=20, every=Duration(SECOND // 5)),
    gate=GateSettings(rule="always"),
)


def play(offers: Experiment, n: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    for i in range(n):
        age = float(generator.uniform())
        decision = offers.decide({"age": age}, event_id=f"{seed}-{i}")
        offers.reward(decision.event_id, float(decision.action == int(age > 0.5)))


def lineage(offers: Experiment) -> list[int]:
    """Events each ancestor of the newest model was trained on, the newest first."""
    counts = []
    record = offers.catalog.newest_model("offers")
    while record is not None:
        counts.append(record.n_trained)
        record = offers.catalog.model(record.parent) if record.parent else None
    return counts


def test_killed_at_any_instant_it_loses_nothing_and_trains_nothing_twice(tmp_path: Path) -> None:
    config, data = tmp_path / "offers.yaml", tmp_path / "data"
    config.write_text(example_yaml(SETTINGS))
    generator = np.random.default_rng(0)
    command = [sys.executable, "-m", "rewardloop", "run", str(config), "--data", str(data), "--json"]
    with Experiment.open(SETTINGS, data) as offers:
        for seed in range(6):
            with subprocess.Popen(command, stdout=subprocess.DEVNULL) as loop:
                time.sleep(0.9)  # Until it has started; from here on the kill falls anywhere.
                play(offers, 60, seed)
                time.sleep(generator.uniform(0.0, 0.6))
                loop.kill()
        play(offers, 20, seed=6)  # A turn is due, even if the last loop had taken all of its own before it was killed.
        offers.run(max_cycles=1)
        trained = sum(lineage(offers))
        joined = offers.join()
        newest = offers.catalog.newest_model("offers")
        assert newest is not None
        assert trained == sum(len(b) for b in joined.interactions(until=newest.watermark, split="train", ratio=0.8))
        assert (joined.n, offers.ledger().rewards_counted) == (380, 380)
        hosted = offers.catalog.hosted("offers")
        assert hosted is not None
        assert read_hosted(offers.directory.hosted) == Hosted(model_id=hosted.model_id)


def interrupted(offers: Experiment, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """A turn that is cut off just before one of its steps."""

    def cut(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    owner = offers.judging if step == "judge" else offers.deploying
    with monkeypatch.context() as patch:
        patch.setattr(owner, step, cut)
        with pytest.raises(KeyboardInterrupt):
            offers.turn()


@pytest.mark.parametrize("step", ["judge", "deploy"])
def test_what_was_trained_is_finished_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    with Experiment.open(SETTINGS, tmp_path) as offers:
        play(offers, 60, seed=0)
        interrupted(offers, monkeypatch, step)
        assert offers.catalog.hosted("offers") is None
        stop = Event()
        stop.set()
        offers.run(stop)
        hosted = offers.catalog.hosted("offers")
        assert hosted is not None
        assert hosted.model_id == "offers.1"
        assert [model.model_id for model in offers.catalog.models("offers")] == ["offers.1"]


def test_a_pointer_that_was_not_written_follows_the_catalog(tmp_path: Path) -> None:
    with Experiment.open(SETTINGS, tmp_path) as offers:
        play(offers, 60, seed=0)
        offers.turn()
        offers.directory.hosted.unlink()
        stop = Event()
        stop.set()
        offers.run(stop)
        assert read_hosted(offers.directory.hosted) == Hosted(model_id="offers.1")


def test_a_turn_is_taken_when_enough_closed_or_enough_time_passed(tmp_path: Path) -> None:
    clock = ManualClock()
    reports = []
    with Experiment.open(SETTINGS, tmp_path, clock=clock) as offers:

        def rest() -> None:
            clock.advance(SECOND // 20)

        play(offers, 50, seed=0)
        assert offers.run(max_cycles=1, on_cycle=reports.append, on_rest=rest) == 1
        play(offers, 3, seed=1)
        assert offers.run(max_cycles=1, on_cycle=reports.append, on_rest=rest) == 1
    assert [report.n_events for report in reports] == [50, 53]


def test_settings_are_looked_at_under_traffic_that_never_lets_it_rest(tmp_path: Path) -> None:
    """Turn upon turn with no pause between them: what is done between turns (new settings, the learner) is done all the same."""
    rests = []
    clock = ManualClock()
    with Experiment.open(SETTINGS, tmp_path, clock=clock) as offers:

        def more(report: CycleReport) -> None:
            clock.advance(SECOND)
            play(offers, 30, report.n_events)

        play(offers, 30, seed=0)
        offers.run(max_cycles=3, on_cycle=more, on_rest=lambda: rests.append(1))
    assert len(rests) == 3


def test_a_full_disk_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Without room for the model the turn is given up, and taken when there is room again: nothing lost, nothing twice."""
    monkeypatch.setattr("rewardloop.loop.running.RETRY_SECONDS", 0.01)
    with Experiment.open(SETTINGS, tmp_path) as offers:
        play(offers, 60, seed=0)
        stage, refusals = offers.modelling.store.stage, iter(range(3))

        def full() -> Path:
            if next(refusals, None) is not None:
                raise StorageUnavailable("Cannot write: no space left on device")
            return stage()

        monkeypatch.setattr(offers.modelling.store, "stage", full)
        assert offers.run(max_cycles=1) == 1
        assert [record.n_trained for record in offers.catalog.models("offers")] == [sum(lineage(offers))]
    assert caplog.text.count("failed and is tried again") == 1
    assert "Cannot write: no space left on device" in caplog.text


def test_what_retention_no_longer_covers_is_thrown_away(tmp_path: Path) -> None:
    clock = ManualClock()
    short = ExperimentSettings(
        experiment="offers",
        actions=2,
        gate=GateSettings(rule="always"),
        log=LogSettings(retention=Duration(60 * SECOND)),
    )
    with Experiment.open(short, tmp_path, clock=clock) as offers:
        for seed in range(4):
            play(offers, 30, seed)
            clock.advance(SECOND)
            offers.turn()
        clock.advance(3600 * SECOND)
        half_written = offers.directory.root / ".hosted.json.1-1"
        half_written.touch()
        os.utime(half_written, ns=(0, 0))
    with Experiment.open(short, tmp_path, clock=clock) as offers:
        offers.tidy()
        assert offers.modelling.store.ids() == ["offers.3", "offers.4"]
        assert list(offers.directory.log.glob("*.segment")) == []
        assert not half_written.exists()
        assert offers.rebuild("offers.1").model_id == "offers.1"


def test_of_many_young_models_the_newest_are_kept_and_the_others_can_be_made_again(tmp_path: Path) -> None:
    with Experiment.open(SETTINGS, tmp_path, clock=ManualClock()) as offers:
        for seed in range(5):
            play(offers, 30, seed)
            offers.clock.advance(SECOND)
            offers.turn()
        offers.roll_back()
        offers.clock.advance(SECOND)
        tidy(offers.settings, offers.directory, offers.catalog, Cursor(), offers.clock.now(), kept=1)
        assert offers.modelling.store.ids() == ["offers.3", "offers.4", "offers.5"]  # one further back, hosted, newest
        with pytest.raises(UnknownModel, match=r"`offers\.1` is no longer kept"):
            offers.deploy("offers.1")
        assert offers.rebuild("offers.1").model_id == "offers.1"
        assert offers.deploy("offers.1").model_id == "offers.1"
