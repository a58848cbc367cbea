"""What happens while a model learns: episodes are counted, checkpoints made, and at each of them everything begins afresh.

The new beginning is what makes a resumed run the run itself: a checkpoint holds no simulator and no generator, because at a
checkpoint every environment starts an episode and every generator is seeded from (seed, step), killed or not.
"""

from __future__ import annotations

import random
import warnings
from collections import deque
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.logger import KVWriter, Logger
from stable_baselines3.her import HerReplayBuffer

from rewardloop.rl.runs.checkpoints import new_checkpoint
from rewardloop.rl.sb3.states import running_moments, save
from rewardloop.rl.toolkit import Plan, Progress, Watch
from rewardloop.rl.trees import Tree

_EPISODES: Final = 100
_REPORT_EVERY: Final = 500


class Watching(BaseCallback):
    """Hands out progress, checkpoints and new beginnings; ends training when the watch says so."""

    def __init__(self, plan: Plan, directory: Path, watch: Watch, extra: Tree = None) -> None:
        super().__init__()
        self._plan = plan
        self._directory = directory
        self._watch = watch
        self._ended: deque[tuple[float, int]] = deque(map(tuple, extra["ended"]) if extra else (), _EPISODES)
        self._n_episodes: int = extra["n_episodes"] if extra else 0
        self._metrics = _Metrics()
        self._moments: list[tuple[Any, Any, float]] = []
        self._due = 0
        self._told = 0
        self._stop = False
        self.n_saved = -1

    def attach(self, model: BaseAlgorithm) -> None:
        """Before learning: remembers the moments, which the first reset would disturb."""
        model.set_logger(Logger(None, [self._metrics]))
        self._moments = [(moments.mean.copy(), moments.var.copy(), moments.count) for moments in running_moments(model)]

    def _on_rollout_start(self) -> None:
        if not self._due:
            self._begin()
        elif self.num_timesteps >= self._due:
            self.save()
            self._begin()

    def _on_step(self) -> bool:
        for info in self.locals.get("infos", ()):
            if "episode" in info:
                self._n_episodes += 1
                self._ended.append((float(info["episode"]["r"]), int(info["episode"]["l"])))
        if self.num_timesteps - self._told >= _REPORT_EVERY:
            self._tell(None)
        return not self._stop

    def save(self) -> None:
        """A checkpoint of the model as it stands."""
        n_steps = self.num_timesteps
        extra = {"ended": [list(ended) for ended in self._ended], "n_episodes": self._n_episodes}
        _close_trajectory(self.model)
        with new_checkpoint(self._directory, n_steps) as stage:
            save(self.model, stage, extra)
        self.n_saved = n_steps
        self._tell(f"{n_steps:012d}")

    def _tell(self, checkpoint: str | None) -> None:
        self._told = self.num_timesteps
        returns, lengths = [r for r, _ in self._ended], [n for _, n in self._ended]
        progress = Progress(
            n_steps=self.num_timesteps,
            n_episodes=self._n_episodes,
            mean_return=float(np.mean(returns)) if returns else None,
            mean_length=float(np.mean(lengths)) if lengths else None,
            metrics=self._metrics.values,
            checkpoint=checkpoint,
        )
        self._stop = not self._watch(progress) or self._stop

    def _begin(self) -> None:
        """New episodes and new generators, by the seed and the step alone."""
        model, env = self.model, self.training_env
        first = not self._due
        self._due = self.num_timesteps + self._plan.checkpoint_every
        seed = int(np.random.SeedSequence([self._plan.seed, self.num_timesteps]).generate_state(1)[0] >> 1)
        random.seed(seed)
        np.random.seed(seed)  # the toolkit's own noise reads the global one
        torch.manual_seed(seed)
        model.action_space.seed(seed)
        env.seed(seed)
        if first:
            for moments, (mean, var, count) in zip(running_moments(model), self._moments, strict=True):
                moments.mean, moments.var, moments.count = mean, var, count
        model._last_obs = env.reset()  # type: ignore[assignment]
        model._last_episode_starts = np.ones((env.num_envs,), dtype=bool)
        normaliser = model.get_vec_normalize_env()
        if normaliser is not None:
            model._last_original_obs = normaliser.get_original_obs()
        _forget(model, env.num_envs)


class _Metrics(KVWriter):
    """The last value of everything the toolkit logs."""

    def __init__(self) -> None:
        self.values: dict[str, float] = {}

    def write(self, key_values: dict[str, Any], key_excluded: dict[str, tuple[str, ...]], step: int = 0) -> None:
        numbers = {name: float(value) for name, value in key_values.items() if isinstance(value, int | float | np.number)}
        self.values = {name: value for name, value in numbers.items() if not name.startswith("time/") and np.isfinite(value)}

    def close(self) -> None:
        """Nothing is open."""


def _forget(model: BaseAlgorithm, n_envs: int) -> None:
    """Memory and exploration noise that would carry over from before."""
    states = getattr(model, "_last_lstm_states", None)
    if states is not None:
        model._last_lstm_states = type(states)(*(tuple(torch.zeros_like(part) for part in pair) for pair in states))  # type: ignore[attr-defined]
    noise = getattr(model, "action_noise", None)
    if noise is not None:
        noise.reset()
    if getattr(model, "use_sde", False):
        noisy: Any = getattr(model, "actor", model.policy)
        noisy.reset_noise(n_envs)


def _close_trajectory(model: BaseAlgorithm) -> None:
    """The transition before a new beginning is no neighbour of the one after: it is marked cut off, not ended."""
    buffer = getattr(model, "replay_buffer", None)
    if buffer is None or not buffer.size():
        return
    if isinstance(buffer, HerReplayBuffer):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            buffer.truncate_last_trajectory()
    elif buffer.handle_timeout_termination:
        cut = ~buffer.dones[buffer.pos - 1].astype(bool)
        buffer.timeouts[buffer.pos - 1][cut] = True
        buffer.dones[buffer.pos - 1][cut] = True
