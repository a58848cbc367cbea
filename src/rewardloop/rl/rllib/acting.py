"""A trained network as an actor: one observation in the environment's own units in, one greedy action out. No Ray."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from ray.rllib.core.columns import Columns
from ray.rllib.core.models.base import ENCODER_OUT
from ray.rllib.core.rl_module.rl_module import RLModule

from rewardloop.rl.rllib.adapting import flat, native
from rewardloop.rl.rllib.building import build_network, seen_and_done
from rewardloop.rl.rllib.cluster import quietly
from rewardloop.rl.rllib.moments import Moments
from rewardloop.rl.rllib.states import load_network
from rewardloop.rl.toolkit import Masks, Plan


class Network:
    """What acts: weights, moments, and the environment's spaces."""

    def __init__(self, plan: Plan, checkpoint: Path) -> None:
        torch.set_num_threads(1)
        with quietly():
            self.seen, self.done = seen_and_done(plan)
            self.module: RLModule = build_network(plan)
            self.moments: Moments | None = load_network(self.module, checkpoint)
        self.squashes = plan.algorithm == "sac"
        self.values = plan.algorithm in ("dqn", "rainbow")
        self.module.eval()

    def numbers(self, seen: torch.Tensor) -> torch.Tensor:
        """(n, k) log-odds, values, or locations and log deviations in the network's own units of -1 to 1."""
        module: Any = self.module
        if self.values:
            return _values(module, seen)
        answer: torch.Tensor = module.forward_inference({Columns.OBS: seen})[Columns.ACTION_DIST_INPUTS]
        return answer


class NetworkActor:
    """Greedy and deterministic."""

    def __init__(self, network: Network) -> None:
        self._network = network

    def begin(self, seed: int) -> None:
        """There is no memory to forget."""

    def act(self, observation: Any, masks: Masks | None) -> Any:
        network = self._network
        row = flat(network.seen, observation)
        row = network.moments.applied(row) if network.moments is not None else row
        with torch.no_grad():
            numbers = network.numbers(torch.from_numpy(row[None])).numpy()[0]
        return native(network.done, self._greedy(numbers))

    def _greedy(self, numbers: np.ndarray[Any, Any]) -> Any:
        match self._network.done:
            case spaces.Discrete():
                return int(np.argmax(numbers))
            case spaces.MultiDiscrete() as space:
                return [int(np.argmax(part)) for part in np.split(numbers, np.cumsum(space.nvec.ravel())[:-1])]
            case spaces.Box() as space:
                return self._scaled(numbers[: space.low.size], space)
        return [int(np.argmax(part)) for part in numbers.reshape(-1, 2)]

    def _scaled(self, location: np.ndarray[Any, Any], space: spaces.Box) -> np.ndarray[Any, Any]:
        low, high = (side.ravel().astype(np.float64) for side in (space.low, space.high))
        unit = np.tanh(location.astype(np.float64)) if self._network.squashes else location.astype(np.float64)
        scaled: np.ndarray[Any, Any] = low + (unit + 1.0) * (high - low) / 2.0
        return scaled


def _values(module: Any, seen: torch.Tensor) -> torch.Tensor:
    """RLlib's own; without its masks where one number is a value, for which it takes a mean that ONNX does not know."""
    if module.num_atoms > 1:
        expected: torch.Tensor = module.compute_q_values({Columns.OBS: seen})["qf_preds"]
        return expected
    encoded = module.encoder({Columns.OBS: seen})[ENCODER_OUT]
    advantages: torch.Tensor = module.af(encoded)
    return advantages - advantages.mean(dim=-1, keepdim=True) + module.vf(encoded) if module.uses_dueling else advantages
