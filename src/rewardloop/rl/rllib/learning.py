"""The loop of a training: iterations until the steps are done, progress after each, a checkpoint where one is due."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from ray.rllib.algorithms.algorithm import Algorithm as Trainer

from rewardloop.rl.rllib.states import save
from rewardloop.rl.runs.checkpoints import new_checkpoint
from rewardloop.rl.toolkit import Plan, Progress, Watch
from rewardloop.rl.trees import Tree


class Learning:
    """A training under way; `extra` is what `states.load` gave back of it."""

    def __init__(self, trainer: Trainer, plan: Plan, directory: Path, watch: Watch, extra: Tree = None) -> None:
        self._trainer = trainer
        self._plan = plan
        self._directory = directory
        self._watch = watch
        self._before: dict[str, int] = dict(extra) if extra is not None else {"n_steps": 0, "n_episodes": 0}
        self._n_steps, self._n_episodes = self._before["n_steps"], self._before["n_episodes"]
        self._saved = self._n_steps

    def run(self) -> None:
        """To the end of the plan, or until the watch says so."""
        going = True
        while going and self._n_steps < self._plan.n_steps:
            result = self._trainer.train()
            sampled = result.get("env_runners", {})
            self._n_steps = max(self._n_steps, int(sampled.get("num_env_steps_sampled_lifetime", 0)))
            self._n_episodes = max(self._n_episodes, int(sampled.get("num_episodes_lifetime", 0)))
            due = self._n_steps - self._saved >= self._plan.checkpoint_every or self._n_steps >= self._plan.n_steps
            going = self._watch(self._progress(result, self._save() if due else None))

    def _save(self) -> str:
        with new_checkpoint(self._directory, self._n_steps) as stage:
            save(self._trainer, stage, {"n_steps": self._n_steps, "n_episodes": self._n_episodes})
        self._saved = self._n_steps
        return f"{self._n_steps:012d}"

    def _progress(self, result: Mapping[str, Any], checkpoint: str | None) -> Progress:
        sampled = result.get("env_runners", {})
        return Progress(
            n_steps=self._n_steps,
            n_episodes=self._n_episodes,
            mean_return=_number(sampled.get("episode_return_mean")),
            mean_length=_number(sampled.get("episode_len_mean")),
            metrics=_metrics(result.get("learners", {}).get("default_policy", {})),
            checkpoint=checkpoint,
        )


def _metrics(of_learner: Mapping[str, Any]) -> dict[str, float]:
    numbers = {f"train/{name}": _number(value) for name, value in of_learner.items()}
    return {name: value for name, value in numbers.items() if value is not None}


def _number(value: Any) -> float | None:
    """None for what is not there, or no finite number."""
    return float(value) if isinstance(value, int | float | np.number) and math.isfinite(value) else None
