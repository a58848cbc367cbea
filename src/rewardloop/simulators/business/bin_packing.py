"""Packing items that arrive one by one into as few bins as can be. Bound: L2 of Martello & Toth (1990), section 8.3."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from rewardloop.simulators.business.episode import Floats, Masked, Masks, Rule, at_least


class BinPacking(Masked):
    """Sizes are whole, uniform from a tenth to half of the capacity. A bin costs 1 when it is opened.

    Action: how full the bin is into which the item goes; 0 opens a new one. Observation: of each level from 1 the number of bins at
    it over the number of items, then which size the item has, as one of `capacity` // 2 flags.
    """

    def __init__(self, n_items: int = 50, capacity: int = 20, measure_bound: bool = True) -> None:
        self.n_items = at_least(1, n_items, "n_items")
        self.capacity = at_least(10, capacity, "capacity")
        super().__init__(2 * n_items, measure_bound)
        self.observation_space = spaces.Box(0.0, 1.0, (capacity - 1 + capacity // 2,), np.float32)
        self.action_space = spaces.Discrete(capacity)

    def draw(self, generator: np.random.Generator) -> None:
        self._sizes = generator.integers(self.capacity // 10, self.capacity // 2, self.n_items, endpoint=True)
        self._bins = np.zeros(self.capacity, dtype=np.int64)
        self._next = 0

    def look(self) -> Floats:
        flags = np.zeros(self.capacity // 2)
        if self._next < self.n_items:
            flags[self._sizes[self._next] - 1] = 1.0
        return np.concatenate([self._bins[1:] / self.n_items, flags]).astype(np.float32)

    def action_masks(self) -> Masks:
        masks: Masks = self._bins > 0
        if self._next < self.n_items:
            masks[self.capacity - int(self._sizes[self._next]) + 1 :] = False
        masks[0] = True
        return masks

    def advance(self, action: int) -> tuple[float, bool]:
        level = action + int(self._sizes[self._next])
        if action:
            self._bins[action] -= 1
        if level < self.capacity:
            self._bins[level] += 1
        self._next += 1
        return (0.0 if action else -1.0), self._next >= self.n_items

    def bound(self) -> float:
        return -float(fewest_bins(self._sizes, self.capacity))

    def baselines(self) -> Mapping[str, Rule]:
        return {"best fit": self._best_fit}

    def _best_fit(self, observation: Floats) -> int:
        """The fullest bin that the item fits into (Johnson 1974)."""
        size = int(np.argmax(observation[self.capacity - 1 :])) + 1
        fitting = np.flatnonzero(observation[: self.capacity - size] > 0)
        return int(fitting[-1]) + 1 if fitting.size else 0


def fewest_bins(sizes: NDArray[np.int64], capacity: int) -> int:
    """No packing has fewer: L2, over all thresholds.

    >>> fewest_bins(np.array([6, 6, 6, 3, 3]), 10)
    3
    """
    return max(_bins_at(sizes, capacity, k) for k in range(capacity // 2 + 1))


def _bins_at(sizes: NDArray[np.int64], capacity: int, k: int) -> int:
    alone = sizes > capacity - k
    large = ~alone & (2 * sizes > capacity)
    small = (sizes >= k) & (2 * sizes <= capacity)
    room = int(large.sum()) * capacity - int(sizes[large].sum())
    more = -(-max(0, int(sizes[small].sum()) - room) // capacity)
    return int(alone.sum() + large.sum()) + more
