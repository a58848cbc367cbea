"""Where no simulator is: an environment that shows what was logged, so that a policy has spaces to be trained and exported on."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import gymnasium
import numpy as np
from gymnasium import spaces

from rewardloop.errors import InvalidInput
from rewardloop.rl.environments import EnvSpec
from rewardloop.rl.logged.files import read_episodes

REPLAY: Final = "rewardloop.rl.logged.replay:Replay"


class Replay(gymnasium.Env[Any, Any]):
    """Walks through logged episodes whatever is done, and rewards nothing: it can say nothing of what a policy would earn."""

    def __init__(self, episodes: str) -> None:
        self._logged = read_episodes(Path(episodes))
        header, width = self._logged.header, self._logged.observation.shape[1]
        self.observation_space = spaces.Box(-np.inf, np.inf, (width,), np.float64)
        if self._logged.action.ndim == 1:
            self.action_space: spaces.Space[Any] = spaces.Discrete(header.n_actions)
            return
        low, high = (header.low, header.high) if header.low else _hull(self._logged.action)
        self.action_space = spaces.Box(np.array(low), np.array(high), dtype=np.float64)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        episode = int(self.np_random.integers(len(self._logged)))
        self._at, self._end = self._logged.offsets[episode : episode + 2].tolist()
        return self._logged.observation[self._at], {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self._at += 1
        over = self._at == self._end
        return self._logged.observation[self._at - over], 0.0, False, over, {}


def replayed(path: Path) -> EnvSpec:
    """For a file whose header names no environment."""
    return EnvSpec(REPLAY, {"episodes": str(path)})


def check_simulated(env: EnvSpec) -> None:
    """Raises `InvalidInput` for what can only be replayed."""
    if env.id == REPLAY:
        raise InvalidInput("There is no simulator to play in, only logged episodes: ask `rewardloop rl off-policy`", at="--env")


def _hull(action: np.ndarray[Any, Any]) -> tuple[Any, Any]:
    """The least box that holds everything that was done."""
    low, high = action.min(axis=0), action.max(axis=0)
    return low, np.maximum(high, low + 1e-9)
