"""A process that begins, promotes and takes back trials is killed at any instant: pointer and catalog agree after the next look."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np

from rewardloop import Experiment, ExperimentSettings
from rewardloop.registry import Hosted, read_hosted
from rewardloop.settings import RolloutSettings

SETTINGS = ExperimentSettings(experiment="offers", actions=("red", "green"), rollout=RolloutSettings(hold_back=0.1))

CHURN = """
import sys
from rewardloop import Experiment
with Experiment.open("offers", sys.argv[1]) as offers:
    while True:
        offers.canary("offers.1", 0.5)
        offers.promote()
        print("once", flush=True)
        offers.abort()
        offers.roll_back()
"""


def killed(data: Path, seconds: float) -> None:
    """After its first round, so that on a busy machine too there is something to be killed in."""
    with subprocess.Popen([sys.executable, "-c", CHURN, str(data)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "once\n"
        try:
            process.wait(seconds)
            raise AssertionError("it ended by itself")
        except subprocess.TimeoutExpired:
            process.kill()


def test_after_a_kill_the_pointer_says_what_the_catalog_says(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    with Experiment.open(SETTINGS, tmp_path) as offers:
        for _ in range(20):
            offers.reward(offers.decide({}).event_id, 1.0)
        offers.train()
    for seconds in generator.uniform(0.0, 0.5, 5).tolist():
        killed(tmp_path, seconds)
        with Experiment.open(SETTINGS, tmp_path) as offers:
            offers.rollouts.reconcile()
            offers.deploying.reconcile()
            hosted, step = offers.catalog.hosted("offers"), offers.rollouts.current()
            pointed = read_hosted(offers.directory.hosted) or Hosted(model_id="offers.0")
            assert pointed.model_id == (hosted.model_id if hosted else "offers.0")
            assert (pointed.challenger and pointed.challenger.model_id) == (step and step.challenger)
            if step is not None:
                offers.abort()
            if pointed.model_id == "offers.1":
                offers.roll_back()
    assert len(offers.catalog.deployments("offers")) > 0
