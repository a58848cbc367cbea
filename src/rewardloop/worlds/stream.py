"""What a world hands out: rounds, each with its context and with what every action would pay. Nothing here decides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from rewardloop.actions import ActionSet
from rewardloop.features import Features
from rewardloop.interactions import Floats


@dataclass(frozen=True, slots=True)
class Stream:
    """n rounds over K fixed arms, in order. Who plays it sees of each round the context, and the reward of the arm chosen."""

    contexts: Sequence[Features]
    means: Floats
    """(n, K) expected rewards, in [0, 1]."""
    rewards: Floats
    """(n, K) rewards as they fall."""

    @property
    def best(self) -> float:
        """Expected reward a round of always knowing the best arm."""
        return float(self.means.max(axis=1).mean())

    @property
    def best_fixed(self) -> float:
        """Expected reward a round of the best single arm."""
        return float(self.means.mean(axis=0).max())


class World(Protocol):
    """Draws rounds. The same generator state draws the same ones."""

    @property
    def name(self) -> str: ...

    @property
    def arms(self) -> ActionSet: ...

    @property
    def mean_delay(self) -> float:
        """Rounds until a reward arrives, on average; 0: before the next round."""
        ...

    def stream(self, n: int, generator: np.random.Generator) -> Stream: ...

    def skyline(self) -> float | None:
        """Mean reward of the best policy that sees all rewards; None where the rounds themselves tell (`Stream.best`)."""
        ...


def bernoulli_stream(contexts: Sequence[Features], means: Floats, generator: np.random.Generator) -> Stream:
    """Rewards of 0 and 1 drawn from their means."""
    return Stream(contexts, means, (generator.random(means.shape) < means).astype(np.float64))
