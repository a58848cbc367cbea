"""A challenger on the real server beside the real loop: where it is worse it is taken back by itself, and no request fails."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path

import numpy as np
import pytest

from processes import started, until
from rewardloop import Experiment, ExperimentSettings
from rewardloop.events import Decision
from rewardloop.policies.contract import Policy
from rewardloop.policies.model_files import write_model
from rewardloop.policies.uniform import UniformPolicy
from rewardloop.registry import ModelRecord, RolloutStep
from rewardloop.settings import (
    Duration,
    GateSettings,
    PolicySettings,
    RewardSettings,
    RolloutSettings,
    TrainingSettings,
    example_yaml,
)
from running_server import Server, running

SETTINGS = ExperimentSettings(
    experiment="offers",
    actions=("red", "green"),
    reward=RewardSettings(range=(0.0, 1.0)),
    training=TrainingSettings(every_events=400, every=Duration(500_000)),
    gate=GateSettings(rule="strict", margin=10.0),
    rollout=RolloutSettings(share=0.5, min_events=1_000_000),
)


def enter(offers: Experiment, policy: Policy, settings: ExperimentSettings = SETTINGS) -> str:
    n = offers.catalog.next_model_number("offers")
    stage = offers.modelling.store.stage()
    policy.save(stage)
    record = ModelRecord(
        model_id=f"offers.{n}", experiment="offers", parent=None, created_at=offers.clock.now(), watermark=offers.clock.now(),
        dataset="", n_trained=0, settings=settings, metrics={}, golden=(), files={},
    )  # fmt: skip
    offers.catalog.add_model(offers.modelling.store.commit(stage, record))
    offers.catalog.record_evaluation("offers", record.model_id, "offers.1", offers.clock.now(), "keep", "{}")
    return record.model_id


def trained(offers: Experiment) -> None:
    generator = np.random.default_rng(0)
    for i in range(300):
        age = float(generator.uniform(18, 80))
        decision = offers.decide({"age": age}, event_id=f"before-{i}")
        offers.reward(decision.event_id, float(decision.action == int(age > 50)))
    offers.deploy(offers.train().model_id)


@contextmanager
def visitors(server: Server, worth: Callable[[int, bool], float]) -> Iterator[list[int]]:
    """Decide and reward until the block ends; the statuses that were not 200. `worth` is the reward of an action by age."""
    stop, failed = threading.Event(), list[int]()

    def visit(seed: int) -> None:
        generator = np.random.default_rng(seed)
        while not stop.is_set():
            age = float(generator.uniform(18, 80))
            told = server.decide({"context": {"age": age}})
            if told.status != 200:
                failed.append(told.status)
                continue
            stop.wait(0.01)
            value = worth(told.json()["index"], age > 50)
            failed.extend({server.post("/v1/rewards", {"event_id": told.json()["event_id"], "reward": value}).status} - {200})

    threads = [threading.Thread(target=visit, args=[seed]) for seed in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield failed
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def by_age(action: int, old: bool) -> float:
    return float(action == int(old))


def always(action: int, old: bool) -> float:
    """No challenger is worse: what takes one back is something else."""
    return 0.5


def taken_back(
    data: Path, offers: Experiment, config: Path, begin: Callable[[], RolloutStep], worth: Callable[[int, bool], float] = by_age
) -> tuple[RolloutStep, list[Decision]]:
    """What became of a challenger between a real server, a real loop and visitors."""
    with (
        running(data, workers=2) as server,
        started("run", str(config), "--data", str(data), "--json", cwd=data.parent, out=data.parent / "run.txt"),
        visitors(server, worth) as failed,
    ):
        begin()
        until(lambda: offers.rollouts.current() is None)
        done = offers.catalog.rollouts("offers")[-1]
        until(lambda: server.decide({"context": {"age": 30}}).json()["model_id"] == "offers.1")
    assert failed == []
    said = [json.loads(line) for line in (data.parent / "run.txt").read_text().splitlines() if line.startswith("{")]
    assert "roll back" in [line.get("kind") for line in said]
    return done, [record for record in server.records() if isinstance(record, Decision)]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "offers.yaml"
    path.write_text(example_yaml(SETTINGS))
    return path


def test_a_worse_challenger_is_taken_back_by_the_loop(tmp_path: Path, config: Path) -> None:
    data = tmp_path / "data"
    with Experiment.open(SETTINGS, data) as offers:
        trained(offers)
        challenger = enter(offers, UniformPolicy())
        done, decisions = taken_back(data, offers, config, lambda: offers.canary(challenger))
        assert (done.kind, done.challenger) == ("roll back", "offers.2")
        assert done.numbers["reward_upper"] < 0
        tried = [decision for decision in decisions if decision.variant == "challenger"]
        assert {decision.model_id for decision in tried} == {"offers.2"}
        assert {decision.pmf for decision in tried} == {(0.5, 0.5)}
        assert all(offers.audit(decision.event_id).same for decision in (tried[0], tried[-1], decisions[-1]))


OTHERS = ExperimentSettings(experiment="offers", actions=("red", "green"), policy=PolicySettings(exploration="uniform"))
"""Made under other settings: the loop trains no model on from it."""

FAULTY = """
import os, time

class Faulty:
    def __init__(self, how):
        self.how = how
    @classmethod
    def load(cls, directory):
        return cls((directory / "how").read_text())
    def pmf(self, context, actions):
        if self.how == "errs":
            raise RuntimeError("on purpose")
        if self.how == "kills":
            os._exit(9)
        if self.how == "dawdles":
            time.sleep(0.1)
        return [1.0 / len(actions)] * len(actions)
"""


def faulty(offers: Experiment, elsewhere: Path, monkeypatch: pytest.MonkeyPatch, how: str) -> str:
    """A model of an engine that another distribution brings, for the processes to come."""
    (elsewhere / "faulty-1.dist-info").mkdir()
    (elsewhere / "faulty.py").write_text(FAULTY)
    (elsewhere / "faulty-1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: faulty\nVersion: 1\n")
    (elsewhere / "faulty-1.dist-info" / "entry_points.txt").write_text("[rewardloop.policies]\nfaulty = faulty:Faulty\n")
    monkeypatch.setenv("PYTHONPATH", str(elsewhere), prepend=os.pathsep)
    return enter(offers, _Saved(how), OTHERS)


class _Saved(UniformPolicy):
    """Saves itself as another engine's."""

    def __init__(self, how: str) -> None:
        self._how = how

    def save(self, directory: Path) -> None:
        write_model(directory, "faulty", {"how": self._how.encode()})


@pytest.mark.parametrize(("how", "reason"), [("errs", "It failed in "), ("dawdles", "Scoring a decision takes +")])
def test_a_challenger_that_fails_or_is_slow_is_taken_back(
    tmp_path: Path, config: Path, monkeypatch: pytest.MonkeyPatch, how: str, reason: str
) -> None:
    data = tmp_path / "data"
    with Experiment.open(SETTINGS, data) as offers:
        trained(offers)
        challenger = faulty(offers, tmp_path, monkeypatch, how)
        done, decisions = taken_back(data, offers, config, lambda: tried(offers, data, challenger), always)
    assert (done.kind, done.challenger) == ("roll back", "offers.2")
    assert done.reason.startswith(reason)
    if how == "errs":
        assert {decision.variant for decision in decisions} == {"champion", "fallback"}


def test_a_challenger_that_kills_its_process_is_taken_back(tmp_path: Path, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = tmp_path / "data"
    with Experiment.open(SETTINGS, data) as offers:
        trained(offers)
        challenger = faulty(offers, tmp_path, monkeypatch, "kills")
        with running(data) as server, started("run", str(config), "--data", str(data), cwd=tmp_path, out=tmp_path / "run.txt"):
            tried(offers, data, challenger)
            until(lambda: (answered(server), offers.rollouts.current() is None)[1])
            until(lambda: answered(server))
        done = offers.catalog.rollouts("offers")[-1]
    assert (done.kind, "serving processes died" in done.reason) == ("roll back", True)


def answered(server: Server) -> bool:
    """Asks; a worker that is killed meanwhile answers nothing."""
    try:
        return server.decide({"context": {"age": 30}}).status == 200
    except (OSError, HTTPException):
        return False


def tried(offers: Experiment, data: Path, challenger: str) -> RolloutStep:
    """By a process that has the other distribution: this one looked for engines before it was there."""
    command = [sys.executable, "-m", "rewardloop", "canary", "offers", challenger, "--data", str(data)]
    subprocess.run(command, check=True, capture_output=True)
    return offers.catalog.rollouts("offers")[-1]
