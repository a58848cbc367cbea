"""The 0/1 knapsack, an item a step. Optimum by dynamic programming over whole weights (Bellman 1957)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from rewardloop.simulators.business.episode import Floats, Masked, Masks, Rule, at_least

HEAVIEST: Final = 40
DEAREST: Final = 100


class Knapsack(Masked):
    """Weights are whole, uniform from 1 to 40; values uniform from 1 to 100, paid in hundreds. Over when nothing more fits.

    Observation: of each item value/100, weight/capacity and whether it may be taken; then the share of capacity that is left.
    """

    def __init__(self, n_items: int = 20, capacity: int = 100, measure_bound: bool = True) -> None:
        self.n_items = at_least(1, n_items, "n_items")
        self.capacity = at_least(HEAVIEST, capacity, "capacity")
        super().__init__(2 * n_items, measure_bound)
        self.observation_space = spaces.Box(0.0, 1.0, (3 * n_items + 1,), np.float32)
        self.action_space = spaces.Discrete(n_items)

    def draw(self, generator: np.random.Generator) -> None:
        self._weights = generator.integers(1, HEAVIEST, self.n_items, endpoint=True)
        self._values = generator.integers(1, DEAREST, self.n_items, endpoint=True)
        self._free = np.ones(self.n_items, dtype=bool)
        self._left = self.capacity

    def look(self) -> Floats:
        items = np.stack([self._values / DEAREST, self._weights / self.capacity, self.action_masks()])
        return np.append(items, self._left / self.capacity).astype(np.float32)

    def action_masks(self) -> Masks:
        masks: Masks = self._free & (self._weights <= self._left)
        return masks

    def advance(self, action: int) -> tuple[float, bool]:
        self._free[action] = False
        self._left -= int(self._weights[action])
        return self._values[action] / DEAREST, not self.action_masks().any()

    def bound(self) -> float:
        """The optimum."""
        return optimum(self._values, self._weights, self.capacity) / DEAREST

    def baselines(self) -> Mapping[str, Rule]:
        return {"densest first": densest}


def densest(observation: Floats) -> int:
    """Of what fits, the item of the highest value for its weight (Dantzig 1957)."""
    values, weights, possible = observation[:-1].reshape(3, -1)
    return int(np.argmax(np.where(possible > 0, values / weights, -1.0)))


def optimum(values: NDArray[np.int64], weights: NDArray[np.int64], capacity: int) -> int:
    """The highest total value of items whose total weight is within the capacity.

    >>> optimum(np.array([60, 100, 120]), np.array([10, 20, 30]), 50)
    220
    """
    best = np.zeros(capacity + 1, dtype=np.int64)
    for value, weight in zip(values.tolist(), weights.tolist(), strict=True):
        best[weight:] = np.maximum(best[weight:], best[:-weight] + value)
    return int(best[-1])
