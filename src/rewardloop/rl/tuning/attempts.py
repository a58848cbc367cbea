"""One trial of a study: trained, evaluated at each checkpoint, ended early where the judge says so. No Optuna and no Ray here."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np

from rewardloop.errors import TrainingFailed
from rewardloop.rl.runs.checkpoints import newest_checkpoint
from rewardloop.rl.runs.training import EVALUATION_SEEDS
from rewardloop.rl.toolkit import Plan, Progress, load_toolkit

Judge = Callable[[int, float], bool]
"""Steps and mean return of a checkpoint to whether the trial goes on."""


def attempt(plan: Plan, eval_episodes: int, directory: Path, judge: Judge) -> float:
    """Mean return of the last checkpoint; `directory` is empty before and gone after. Raises what the toolkit raises."""
    toolkit, values = load_toolkit(plan.toolkit), list[float]()
    seeds = range(EVALUATION_SEEDS, EVALUATION_SEEDS + eval_episodes)

    def watch(progress: Progress) -> bool:
        if progress.checkpoint is None:
            return True
        values.append(float(np.mean(toolkit.evaluate(plan, newest_checkpoint(directory / "checkpoints"), seeds))))
        return judge(progress.n_steps, values[-1])

    try:
        toolkit.train(plan, directory / "checkpoints", watch)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    if not values:
        raise TrainingFailed(f"No checkpoint was reached in {plan.n_steps} steps")
    return values[-1]
