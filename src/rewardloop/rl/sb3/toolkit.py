"""The toolkit: trains, resumes, evaluates and exports by Stable-Baselines3, and says whose fault it was when that fails."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.vec_env import SubprocVecEnv, VecEnv

from rewardloop.errors import InvalidInput, TrainingFailed
from rewardloop.rl.algorithms import Algorithm, find_algorithm
from rewardloop.rl.last_words import said_by
from rewardloop.rl.playing.episodes import play_all
from rewardloop.rl.runs.checkpoints import newest_checkpoint
from rewardloop.rl.sb3.acting import ModelActor, load_model
from rewardloop.rl.sb3.building import build
from rewardloop.rl.sb3.exporting import export
from rewardloop.rl.sb3.states import load
from rewardloop.rl.sb3.table import ROWS
from rewardloop.rl.sb3.watching import Watching
from rewardloop.rl.toolkit import Actor, Exported, Plan, Watch

_GONE = (EOFError, ConnectionResetError, BrokenPipeError)


class StableBaselines3:
    """Keeps `rewardloop.rl.toolkit.Toolkit`. The default: the fastest on one machine."""

    def algorithms(self) -> Sequence[Algorithm]:
        return ROWS

    def train(self, plan: Plan, directory: Path, watch: Watch) -> None:
        words = directory.parent / "workers"
        model = build(plan, words)
        _learn(model, plan, words, Watching(plan, directory, watch))

    def resume(self, plan: Plan, directory: Path, watch: Watch) -> None:
        checkpoint = newest_checkpoint(directory)
        words = directory.parent / "workers"
        model = build(plan, words)
        extra = load(model, checkpoint)
        _learn(model, plan, words, Watching(plan, directory, watch, extra))

    def actor(self, plan: Plan, checkpoint: Path) -> Actor:
        return ModelActor(load_model(plan, checkpoint))

    def evaluate(self, plan: Plan, checkpoint: Path, seeds: Sequence[int]) -> list[float]:
        return [episode.episode_return for episode in play_all(plan.env, self.actor(plan, checkpoint), seeds, plan.step_timeout_s)]

    def export(self, plan: Plan, checkpoint: Path) -> Exported:
        if not find_algorithm(ROWS, plan.algorithm).exports:
            raise InvalidInput(f"`{plan.algorithm}` remembers what it saw before, which no served policy can", at="--checkpoint")
        return export(load_model(plan, checkpoint))


def _learn(model: BaseAlgorithm, plan: Plan, words: Path, watching: Watching) -> None:
    env = model.get_env()
    assert env is not None
    try:
        if plan.n_steps > model.num_timesteps:
            watching.attach(model)
            model.learn(plan.n_steps - model.num_timesteps, watching, reset_num_timesteps=not model.num_timesteps)
            if watching.n_saved < model.num_timesteps - plan.n_workers:
                watching.save()
        env.close()
    except _GONE:
        sentence = _whose_fault(env.unwrapped, words)
        _end(env.unwrapped)
        raise TrainingFailed(sentence) from None
    except BaseException:
        _end(env.unwrapped)
        raise


def _whose_fault(env: VecEnv, words: Path) -> str:
    """Which workers are gone, how they went, and what they said."""
    assert isinstance(env, SubprocVecEnv)
    gone: list[str] = []
    for i, process in enumerate(env.processes):
        process.join(1.0)
        if process.exitcode is not None:
            last = said_by(words / f"{i}.txt") or _how(process.exitcode)
            gone.append(f"worker {i} of {len(env.processes)} (process {process.pid}) ended. {last}")
    return "; ".join(gone) or "a worker stopped answering"


def _how(code: int) -> str:
    if code == -14:
        return "It did not answer a step in time (see --step-timeout)"
    return f"It was killed by signal {-code}" if code < 0 else f"Its exit code was {code}"


def _end(env: VecEnv) -> None:
    """Every process, whether it still listens or not."""
    if not isinstance(env, SubprocVecEnv):
        env.close()
        return
    for process in env.processes:
        process.kill()
        process.join()
    for remote in env.remotes:
        remote.close()
    env.closed = True
