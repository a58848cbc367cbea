"""Several choices at once with masks, counted from any number: trained, recorded, deployed and learned from logs without a slip.

The world refuses what is no action of its space, and what its masks leave out.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest
from gymnasium import spaces

from rewardloop.clock import ManualClock
from rewardloop.loop.experiment import Experiment
from rewardloop.rl.deploying import deploy, settings_for
from rewardloop.rl.environments import EnvSpec
from rewardloop.rl.logged.files import read_episodes
from rewardloop.rl.logged.recording import record
from rewardloop.rl.playing.comparing import compare
from rewardloop.rl.runs.run import RunDirectory, Runs, Watching
from rewardloop.rl.runs.training import start
from rewardloop.rl.spaces import possible_arms
from rewardloop.rl.toolkit import Plan
from rl.test_training import a_plan

WATCHING = Watching(eval_episodes=1)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    root = tmp_path_factory.mktemp("counted")
    done = start(Runs(root), a_plan("Counted", algorithm="maskableppo"), WATCHING, ManualClock())
    return Runs(root).find(done.run)


def test_masks_of_choices_are_those_of_their_combinations() -> None:
    space = spaces.MultiDiscrete([3, 2])
    assert possible_arms(space, np.array([True, True, False, True, False])).tolist() == [True, False, True, False, False, False]
    assert possible_arms(spaces.Discrete(2), np.array([False, True])).tolist() == [False, True]


def test_it_is_deployed_though_masks_are_fewer_than_arms(run: RunDirectory, tmp_path: Path) -> None:
    with Experiment.open(settings_for(run, "choices"), tmp_path, clock=ManualClock()) as opened:
        assert deploy(run, opened).n_checked == 20


def test_a_policy_that_knows_of_no_masks_is_deployed_as_well(tmp_path: Path) -> None:
    done = start(Runs(tmp_path), a_plan("MaskedSeveral"), WATCHING, ManualClock())
    directory = Runs(tmp_path).find(done.run)
    with Experiment.open(settings_for(directory, "choices"), tmp_path, clock=ManualClock()) as opened:
        assert deploy(directory, opened).n_checked == 20


def test_what_is_recorded_keeps_to_the_masks_and_is_learned_from(run: RunDirectory, tmp_path: Path) -> None:
    file = tmp_path / "episodes.parquet"
    record(run, "best", range(20), {}, file, explore=0.5)
    logged = read_episodes(file)
    assert logged.masks is not None
    assert logged.masks.shape[1] == 6
    assert set(logged.action.tolist()) == {0, 1, 2, 3}
    plan = Plan(
        env=EnvSpec("rl_worlds:Counted"), toolkit="offline", algorithm="bc", n_steps=20, checkpoint_every=20, episodes=str(file)
    )
    plan = msgspec.structs.replace(plan, parameters={"net_arch": [8], "batch_size": 16})
    assert start(Runs(tmp_path), plan, WATCHING, ManualClock()).best is not None


def test_chance_keeps_to_its_numbers_too(run: RunDirectory) -> None:
    found = compare(EnvSpec("rl_worlds:Counted"), [run], overrides={}, n_episodes=5, rules={}, n_constants=0)
    assert [row.policy for row in found.rows] == ["random", run.root.name]
