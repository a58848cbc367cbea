"""The reward's range, and rewards in units of it. The only place where a reward turns into a cost."""

from __future__ import annotations

from typing import Self

import msgspec
import numpy as np

from rewardloop.errors import InvalidInput
from rewardloop.interactions import Floats


class RewardRangeState(msgspec.Struct, frozen=True):
    declared: bool
    low: float | None
    high: float | None


class RewardRange:
    """Maps rewards to [0, 1], so that {0, 1}, [−1, 1] and [0, 100] learn alike and confidence bounds know the scale.

    A declared range never moves. An undeclared one is the smallest and largest reward seen so far: while it grows, rewards
    learned earlier keep the unit they were learned with. Declare the range where early rewards are untypical, or where a
    rare enormous one would squeeze all others together. Until two different rewards were seen, every reward is one half.

    >>> seen = RewardRange()
    >>> seen.update(np.array([-1.0, 1.0]))
    >>> seen.to_unit(np.array([-1.0, 0.5, 1.0])), seen.to_cost(np.array([-1.0, 0.5, 1.0]))
    (array([0.  , 0.75, 1.  ]), array([1.  , 0.25, 0.  ]))
    """

    def __init__(self, declared: tuple[float, float] | None = None) -> None:
        self._declared = declared is not None
        self.low, self.high = declared if declared else (np.inf, -np.inf)

    def update(self, rewards: Floats) -> None:
        """Widens an undeclared range; call it before the batch is mapped."""
        if not self._declared and len(rewards):
            self.low = min(self.low, float(rewards.min()))
            self.high = max(self.high, float(rewards.max()))

    @property
    def width(self) -> float:
        """high − low; 0 while unknown."""
        return max(0.0, self.high - self.low)

    def to_unit(self, rewards: Floats) -> Floats:
        """(n,) in [0, 1], higher is better."""
        if self.width <= 0:
            return np.full(len(rewards), 0.5)
        return np.clip((rewards - self.low) / self.width, 0.0, 1.0)

    def to_cost(self, rewards: Floats) -> Floats:
        """(n,) in [0, 1], lower is better."""
        return 1.0 - self.to_unit(rewards)

    def state(self) -> RewardRangeState:
        """Everything, as plain data for JSON."""
        known = self.low <= self.high
        return RewardRangeState(self._declared, self.low if known else None, self.high if known else None)

    @classmethod
    def from_state(cls, state: RewardRangeState) -> Self:
        made = cls()
        made._declared = state.declared
        if state.low is not None and state.high is not None:
            made.low, made.high = state.low, state.high
        return made


def require_finite(rewards: Floats) -> None:
    """Raises `InvalidInput` where one is not: nothing can be learned from it."""
    if not np.isfinite(rewards).all():
        raise InvalidInput("Expected finite rewards, got one that is not")
