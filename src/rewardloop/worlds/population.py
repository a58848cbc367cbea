"""Whom both meet: visitors whose reward under every arm is known. Nothing here decides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rewardloop.actions import ActionSet, fixed_actions
from rewardloop.errors import InvalidInput
from rewardloop.features import Features
from rewardloop.interactions import Floats, Ints

MAX_ARMS = 100


@dataclass(frozen=True, slots=True)
class Visitors:
    """n visitors in the order they come."""

    rows: Ints
    """(n,) which row of the population each is."""
    outcomes: Floats
    """(n, K) 0 or 1: the reward each would give under each arm. Who shows an arm sees that arm's alone."""


@dataclass(frozen=True, slots=True)
class Population:
    """m kinds of visitor, equally frequent, and how K fixed arms do with each."""

    name: str
    contexts: Sequence[Features]
    means: Floats
    """(m, K) probability of a reward of 1."""
    actions: ActionSet
    skyline: float
    """Mean reward of the best policy known: what regret is counted from."""

    @property
    def arm_means(self) -> Floats:
        """(K,) mean reward of showing one arm to everybody."""
        means: Floats = self.means.mean(axis=0)
        return means

    def visitors(self, n: int, generator: np.random.Generator) -> Visitors:
        """n drawn with replacement."""
        rows = generator.integers(len(self.contexts), size=n)
        return Visitors(rows, (generator.random((n, len(self.actions))) < self.means[rows]).astype(np.float64))


def bernoulli(rates: Sequence[float]) -> Population:
    """Visitors of whom nothing is known: arm k is rewarded with probability `rates[k]`. Raises `InvalidInput`.

    >>> bernoulli([0.05, 0.06]).arm_means.max() == bernoulli([0.05, 0.06]).skyline == 0.06
    True
    """
    if not 2 <= len(rates) <= MAX_ARMS:
        raise InvalidInput(f"Expected 2 to {MAX_ARMS} success rates, got {len(rates)}", at="--arms")
    if wrong := [rate for rate in rates if not 0 <= rate <= 1]:
        raise InvalidInput(f"Expected success rates from 0 to 1, got {wrong[0]:g}", at="--arms")
    actions = fixed_actions([str(arm) for arm in range(1, len(rates) + 1)])
    return Population(f"{len(rates)} arms without context", [{}], np.array([rates], dtype=np.float64), actions, max(rates))
