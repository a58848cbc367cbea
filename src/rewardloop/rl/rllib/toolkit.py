"""The toolkit: trains, resumes, evaluates and exports by RLlib, and says whose fault it was when that fails."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import torch
from ray.exceptions import RayError

from rewardloop.errors import InvalidInput, RewardloopError, TrainingFailed
from rewardloop.rl.algorithms import Algorithm, find_algorithm
from rewardloop.rl.last_words import last_words
from rewardloop.rl.playing.episodes import play_all
from rewardloop.rl.rllib.acting import Network, NetworkActor
from rewardloop.rl.rllib.building import build, configure, seed_at
from rewardloop.rl.rllib.cluster import quietly, running
from rewardloop.rl.rllib.dreaming import DreamingActor
from rewardloop.rl.rllib.exporting import export
from rewardloop.rl.rllib.learning import Learning
from rewardloop.rl.rllib.states import load
from rewardloop.rl.rllib.table import ROWS
from rewardloop.rl.runs.checkpoints import newest_checkpoint
from rewardloop.rl.toolkit import Actor, Exported, Plan, Watch


class RLlib:
    """Keeps `rewardloop.rl.toolkit.Toolkit`. For a cluster; on one machine Stable-Baselines3 is faster."""

    def algorithms(self) -> Sequence[Algorithm]:
        return ROWS

    def train(self, plan: Plan, directory: Path, watch: Watch) -> None:
        _learn(plan, directory, watch, None)

    def resume(self, plan: Plan, directory: Path, watch: Watch) -> None:
        _learn(plan, directory, watch, newest_checkpoint(directory))

    def actor(self, plan: Plan, checkpoint: Path) -> Actor:
        network = Network(plan, checkpoint)
        return DreamingActor(network) if plan.algorithm == "dreamerv3" else NetworkActor(network)

    def evaluate(self, plan: Plan, checkpoint: Path, seeds: Sequence[int]) -> list[float]:
        return [episode.episode_return for episode in play_all(plan.env, self.actor(plan, checkpoint), seeds, plan.step_timeout_s)]

    def export(self, plan: Plan, checkpoint: Path) -> Exported:
        if not find_algorithm(ROWS, plan.algorithm).exports:
            raise InvalidInput(f"`{plan.algorithm}` remembers what it saw before, which no served policy can", at="--checkpoint")
        return export(Network(plan, checkpoint))


def _learn(plan: Plan, directory: Path, watch: Watch, checkpoint: Path | None) -> None:
    with quietly():
        configure(plan, plan.seed)  # Refuses what cannot work before Ray is started for it.
    if plan.algorithm == "dreamerv3":
        torch.set_num_threads(1)  # Thousands of small products an update: further threads only wait for each other.
    words = directory.parent / "workers"
    shutil.rmtree(words, ignore_errors=True)
    with running(plan.ray, plan.n_workers + 1):
        trainer = build(plan, words, seed_at(plan, int(checkpoint.name) if checkpoint else 0))
        try:
            extra = load(trainer, checkpoint) if checkpoint else None
            Learning(trainer, plan, directory, watch, extra).run()
        except RayError as error:
            raise TrainingFailed(last_words(words, plan.n_workers) or _quoted(error)) from None
        except RuntimeError as error:
            raise (_said(error) or error) from None
        finally:
            trainer.stop()


def _said(error: BaseException) -> RewardloopError | None:
    """What an environment in this process raised: RLlib raises an error without words about it."""
    cause = error.__cause__
    return cause if cause is None or isinstance(cause, RewardloopError) else _said(cause)


def _quoted(error: RayError) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"A worker ended. {' '.join(lines)[:600]}"
