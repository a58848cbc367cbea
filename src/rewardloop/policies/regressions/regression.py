"""What every ridge regression here shares: sums that remember as `forgetting` says, in units of the range of rewards so far.

What a row is, and whose sums an event belongs to, is next door: `linear` for contexts, `bilinear` for actions with features.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Generic, Protocol, TypeVar

import numpy as np

from rewardloop.interactions import Floats, Ints
from rewardloop.policies.regressions.memory import Memory, Past, S
from rewardloop.policies.rewards import RewardRange


class Rewarded(Protocol):
    """Events, whatever else is known of them."""

    @property
    def rewards(self) -> Floats: ...


E = TypeVar("E", bound=Rewarded)


class Regression(ABC, Generic[E, S]):
    """Learns events of one kind: the range of rewards first, then what a row is, then the posterior."""

    def __init__(self, rewards: RewardRange, memory: Memory[S]) -> None:
        self._rewards, self._memory = rewards, memory

    @property
    def moments(self) -> S:
        """The sums to decide by."""
        return self._memory.moments

    @property
    def past(self) -> Past[S]:
        """All sums."""
        return self._memory.past

    @property
    def n_restarts(self) -> int:
        """How often the past was forgotten because the world had changed."""
        return self._memory.n_restarts

    @property
    def n_since_change(self) -> int | None:
        """Events learned since then, and a few before; None where it has not."""
        return self._memory.n_since_change

    @property
    @abstractmethod
    def width(self) -> int:
        """d, the constant included."""

    def learn(self, events: E) -> None:
        """One event updates its own sums alone, unless it widens an undeclared range of rewards: then every θ moves."""
        self._fit(events)
        self._sum(events)

    def _fit(self, events: E) -> None:
        """All but the posterior."""
        before = (self._rewards.low, self._rewards.width)
        self._rewards.update(events.rewards)
        self._look(events)
        if before != (self._rewards.low, self._rewards.width):
            self._solve()

    def _sum(self, events: E) -> None:
        """The posterior."""
        rewards, start = np.clip(events.rewards, self._rewards.low, self._rewards.high), 0
        while start < len(rewards):
            part = slice(start, start + self._memory.step())
            arms, X = self._rows(events, part)
            self._memory.add(arms, X, rewards[part], self._rewards.low, self._rewards.width)
            start = part.stop

    def _solve(self) -> None:
        """θ from the sums as they are: from the same numbers by the same operations, the same bits."""
        self._memory.solve(np.arange(self.moments.n_arms), self._rewards.low, self._rewards.width)

    @abstractmethod
    def _look(self, events: E) -> None:
        """Scales and columns, and room in the sums for new ones."""

    @abstractmethod
    def _rows(self, events: E, part: slice) -> tuple[Ints, Floats]:
        """Whose sums the events of a part belong to, and with which rows."""
