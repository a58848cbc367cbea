"""The online learner as a process: it publishes, is replaced when it dies, and leaves when its loop is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from processes import PATIENCE_S, alive, children, ended, until
from rewardloop import Experiment, ExperimentSettings
from rewardloop.clock import SECOND
from rewardloop.registry.names import model_name
from rewardloop.registry.pointer import read_hosted
from rewardloop.settings import Duration, TrainingSettings, example_yaml

SETTINGS = ExperimentSettings(
    experiment="offers",
    actions=2,
    training=TrainingSettings(mode="online", ratio=1.0, every_events=1_000_000, every=Duration(3_600 * SECOND)),
)


@contextmanager
def looping(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    config = tmp_path / "offers.yaml"
    config.write_text(example_yaml(SETTINGS))
    command = [sys.executable, "-m", "rewardloop", "run", str(config), "--data", str(tmp_path / "data"), "--json"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as loop:
        try:
            yield loop
        finally:
            loop.terminate()
            ended(loop)


def snapshot(offers: Experiment) -> int:
    hosted = read_hosted(offers.directory.hosted)
    return model_name(hosted.model_id).snapshot if hosted else 0


def rewarded(offers: Experiment) -> None:
    offers.reward(offers.decide({"age": 31.0}).event_id, 1.0)


def test_it_publishes_is_replaced_and_leaves_with_its_loop(tmp_path: Path) -> None:
    with Experiment.open(SETTINGS, tmp_path / "data") as offers, looping(tmp_path) as loop:
        until(lambda: bool(children(loop.pid)))
        rewarded(offers)
        until(lambda: snapshot(offers) > 0)
        (first,) = children(loop.pid)
        os.kill(first, signal.SIGKILL)
        until(lambda: bool(children(loop.pid)) and children(loop.pid) != [first])
        before = snapshot(offers)
        rewarded(offers)
        until(lambda: snapshot(offers) > before)
        (second,) = children(loop.pid)
        loop.kill()
        until(lambda: not alive(second))


def test_it_ends_when_the_loop_is_told_to(tmp_path: Path) -> None:
    with looping(tmp_path) as loop:
        until(lambda: bool(children(loop.pid)))
        (learner,) = children(loop.pid)
        time.sleep(1.0)
        loop.terminate()
        assert loop.wait(PATIENCE_S) == 0
        assert not alive(learner)
