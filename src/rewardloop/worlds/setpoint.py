"""A number to set: how warm should the water be? What is best depends on the weather, the people and the building, not linearly.

The reward of a value is 1 − |value − best| / (high − low), give or take noise; the world knows the best.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from rewardloop.cells import Cells
from rewardloop.features import Features
from rewardloop.interactions import Floats

LOW: Final = 20.0
HIGH: Final = 35.0
NOISE: Final = 0.05
BUILDINGS: Final = {"old": 1.0, "new": -1.0, "tower": 0.0}


@dataclass(frozen=True, slots=True)
class Setpoint:
    """n contexts and the best value of each."""

    contexts: tuple[Features, ...]
    best: Floats
    noise: Floats

    @classmethod
    def new(cls, n: int, seed: int) -> Self:
        """
        >>> world = Setpoint.new(100, seed=0)
        >>> bool((world.best > LOW).all() and (world.best < HIGH).all())
        True
        """
        rng = np.random.default_rng(seed)
        outdoor, people = rng.uniform(-10.0, 25.0, n), rng.integers(0, 40, n)
        buildings = rng.choice(list(BUILDINGS), n)
        shift = np.array([BUILDINGS[str(name)] for name in buildings])
        wanted = 33.0 - 11.0 / (1.0 + np.exp(-(outdoor - 8.0) / 4.0)) - 0.05 * people + shift
        contexts = tuple(
            {"outdoor": o, "people": int(p), "building": str(b)}
            for o, p, b in zip(outdoor.tolist(), people.tolist(), buildings.tolist(), strict=True)
        )
        return cls(contexts, np.clip(wanted, LOW + 0.5, HIGH - 0.5), rng.normal(0.0, NOISE, n))

    @staticmethod
    def cells(n: int) -> Cells:
        return Cells(LOW, HIGH, n)

    def loss(self, i: int, value: float) -> float:
        """|value − best| in units of the range."""
        return abs(value - float(self.best[i])) / (HIGH - LOW)

    def reward(self, i: int, value: float) -> float:
        """What is observed."""
        return float(np.clip(1.0 - self.loss(i, value) + self.noise[i], 0.0, 1.0))
