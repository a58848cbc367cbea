"""Where a policy over a box begins: at an action that is known to be good, instead of at zero."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3.common.base_class import BaseAlgorithm

from rewardloop.errors import InvalidInput


def begin_at(model: BaseAlgorithm, action: Any) -> None:
    """Before it learns, the policy's mean is this action whatever it sees; what it learns is a correction of it.

    Raises `InvalidInput` for what is no action of the environment.
    """
    space, policy = model.action_space, model.policy
    if not isinstance(space, spaces.Box):
        raise InvalidInput(f"Expected actions of numbers to begin at one, got {space}", at="--param initial_action")
    try:
        wanted = np.array(action, dtype=np.float64)
    except (TypeError, ValueError):
        wanted = np.empty(0)
    if wanted.shape != space.shape or not ((wanted >= space.low) & (wanted <= space.high)).all():
        raise InvalidInput(f"Expected an action in {space}, got {action!r:.200}", at="--param initial_action")
    head: torch.nn.Linear = policy.action_net  # type: ignore[assignment]
    with torch.no_grad():
        head.weight.zero_()
        head.bias.copy_(torch.from_numpy(wanted.ravel()))
