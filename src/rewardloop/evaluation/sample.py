"""From a log and a target policy to the four columns every estimator reads. No estimator and no reward model lives here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rewardloop.interactions import Floats, Interactions, Ints


@dataclass(frozen=True, slots=True)
class Sample:
    """n logged events seen through the eyes of one target policy π. Four columns of (n,): ragged actions are summed away."""

    weight: Floats
    """π(chosen) / logged probability."""
    reward: Floats
    direct: Floats
    """Σ_a π(a) q(a): what the reward model expects π to earn."""
    fitted: Floats
    """q(chosen): what it expected of the action that was taken."""

    def __len__(self) -> int:
        return len(self.weight)


def sample(interactions: Interactions, pmf: Floats, q: Floats) -> Sample:
    """The columns of a target `pmf` (Σ K_i,) under a reward model `q` (Σ K_i,); a few passes over the flat arrays, no loop."""
    chosen = interactions.chosen
    return Sample(
        weight=pmf[chosen] / interactions.probability,
        reward=interactions.reward,
        direct=sum_by_event(pmf * q, interactions.offsets),
        fitted=q[chosen],
    )


def as_logged(reward: Floats) -> Sample:
    """The logging policy, seen by itself: weights of 1, and nothing to model. Each estimator gives the mean of `reward` (n,)."""
    n = len(reward)
    return Sample(np.ones(n), reward, np.zeros(n), np.zeros(n))


def sum_by_event(flat: Floats, offsets: Ints) -> Floats:
    """Σ over the actions of each event, (Σ K_i,) to (n,). Every event offers at least one action.

    >>> sum_by_event(np.array([1.0, 2.0, 5.0]), np.array([0, 2, 3]))
    array([3., 5.])
    """
    return np.add.reduceat(flat, offsets[:-1]) if len(offsets) > 1 else np.zeros(0)
