"""A trained model as an actor: one observation in the environment's own units in, one greedy action out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from gymnasium import spaces
from sb3_contrib import MaskablePPO
from stable_baselines3.common.base_class import BaseAlgorithm

from rewardloop.rl.sb3.building import build_for_acting
from rewardloop.rl.sb3.states import load_policy
from rewardloop.rl.toolkit import Masks, Plan


class ModelActor:
    """Greedy and deterministic; keeps the memory of a recurrent policy within an episode."""

    def __init__(self, model: BaseAlgorithm) -> None:
        self._model = model
        self._normaliser = model.get_vec_normalize_env()
        env = model.get_env()
        self._start = env.get_attr("start")[0] if env is not None else 0
        self._memory: Any = None
        self._begins = True

    def begin(self, seed: int) -> None:
        self._memory, self._begins = None, True

    def act(self, observation: Any, masks: Masks | None) -> Any:
        seen = self._normaliser.normalize_obs(observation) if self._normaliser is not None else observation
        more: dict[str, Any] = {"action_masks": masks} if isinstance(self._model, MaskablePPO) and masks is not None else {}
        starts = np.array([self._begins])
        action, self._memory = self._model.predict(seen, self._memory, starts, deterministic=True, **more)
        self._begins = False
        counted = action + self._start if np.any(self._start) else action
        return int(counted) if isinstance(self._model.action_space, spaces.Discrete) else counted


def load_model(plan: Plan, checkpoint: Path) -> BaseAlgorithm:
    """A trained model for acting. Raises `Corrupt`."""
    model = build_for_acting(plan)
    load_policy(model, checkpoint)
    return model
