"""The laws of a toolkit as tests. Subclass, say how to make one and which plans to try, and pytest runs them on yours.

class TestMyToolkit(ToolkitContract):
    def make_toolkit(self):
        return MyToolkit()

    def plans(self):
        return [Plan(env=EnvSpec("CartPole-v1"), toolkit="mine", algorithm="ppo", n_steps=200, checkpoint_every=100)]
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import pytest

from rewardloop.errors import InvalidInput, NotFound
from rewardloop.rl.algorithms import Algorithm, find_algorithm
from rewardloop.rl.environments import make_env, masks_of
from rewardloop.rl.runs.checkpoints import checkpoints, newest_checkpoint
from rewardloop.rl.toolkit import Plan, Progress, Toolkit

SEEDS = (11, 12)


class Killed(Exception):
    """Ends a training from within, as a kill would: nothing of the toolkit's runs afterwards but its clearing up."""


class ToolkitContract(ABC):
    """`plans` should name every algorithm once, on an environment that its seed determines, with at least three checkpoints."""

    @abstractmethod
    def make_toolkit(self) -> Toolkit: ...

    @abstractmethod
    def plans(self) -> Sequence[Plan]: ...

    def test_every_algorithm_is_tried(self) -> None:
        assert {row.name for row in self.make_toolkit().algorithms()} == {plan.algorithm for plan in self.plans()}

    def test_every_algorithm_trains_checkpoints_resumes_and_acts(self, tmp_path: Path) -> None:
        toolkit = self.make_toolkit()
        for plan in self.plans():
            row = find_algorithm(toolkit.algorithms(), plan.algorithm)
            whole, cut = tmp_path / plan.algorithm / "whole", tmp_path / plan.algorithm / "cut"
            self._assert_trains(toolkit, plan, whole)
            self._assert_resumes(toolkit, plan, whole, cut, row)
            self._assert_acts(toolkit, plan, newest_checkpoint(whole))

    def test_resuming_from_nothing_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(NotFound, match="Expected a checkpoint"):
            self.make_toolkit().resume(self.plans()[0], tmp_path, lambda _: True)

    def test_an_unknown_hyperparameter_is_refused_by_its_name(self, tmp_path: Path) -> None:
        plan = msgspec.structs.replace(self.plans()[0], parameters={"lerning_rate": 1.0})
        with pytest.raises(InvalidInput, match="lerning_rate"):
            self.make_toolkit().train(plan, tmp_path, lambda _: True)
        assert checkpoints(tmp_path) == []

    def test_the_watch_ends_a_training(self, tmp_path: Path) -> None:
        plan = self.plans()[0]
        self.make_toolkit().train(plan, tmp_path, lambda progress: progress.checkpoint is None)
        assert int(newest_checkpoint(tmp_path).name) < plan.n_steps

    def _assert_trains(self, toolkit: Toolkit, plan: Plan, directory: Path) -> None:
        heard: list[Progress] = []

        def hear(progress: Progress) -> bool:
            heard.append(progress)
            return True

        toolkit.train(plan, directory, hear)
        steps = [progress.n_steps for progress in heard]
        assert steps == sorted(steps), plan.algorithm
        assert steps[-1] >= plan.n_steps, plan.algorithm
        finished = [progress.checkpoint for progress in heard if progress.checkpoint is not None]
        assert len(finished) >= 2, plan.algorithm
        assert newest_checkpoint(directory).name == finished[-1], plan.algorithm

    def _assert_resumes(self, toolkit: Toolkit, plan: Plan, whole: Path, cut: Path, row: Algorithm) -> None:
        with pytest.raises(Killed):
            toolkit.train(plan, cut, _kill_at_the_first_checkpoint)
        assert int(newest_checkpoint(cut).name) < plan.n_steps
        toolkit.resume(plan, cut, lambda _: True)
        if row.exact_resume:
            assert _files(newest_checkpoint(cut)) == _files(newest_checkpoint(whole)), plan.algorithm
        else:
            assert int(newest_checkpoint(cut).name) >= plan.n_steps, plan.algorithm

    def _assert_acts(self, toolkit: Toolkit, plan: Plan, checkpoint: Path) -> None:
        env = make_env(plan.env)
        observation, _ = env.reset(seed=SEEDS[0])
        actions = []
        for _ in range(2):
            actor = toolkit.actor(plan, checkpoint)
            actor.begin(SEEDS[0])
            actions.append(actor.act(observation, masks_of(env)))
        assert env.action_space.contains(actions[0]), (plan.algorithm, actions[0])
        np.testing.assert_array_equal(actions[0], actions[1])
        env.close()
        returns = toolkit.evaluate(plan, checkpoint, SEEDS)
        assert np.isfinite(returns).all(), plan.algorithm
        assert returns == toolkit.evaluate(plan, checkpoint, SEEDS), plan.algorithm


def _kill_at_the_first_checkpoint(progress: Progress) -> bool:
    if progress.checkpoint is not None:
        raise Killed
    return True


def _files(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}
