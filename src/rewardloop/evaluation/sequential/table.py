"""What every estimator of an episode's value is computed from: cumulative weights, rewards and a model's values, padded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rewardloop.errors import InvalidInput
from rewardloop.evaluation.sequential.trajectories import Trajectories
from rewardloop.interactions import Floats


@dataclass(frozen=True, slots=True)
class Table:
    """n episodes in rows, H steps in columns. Behind an episode's end rewards and values are 0 and the weight stays."""

    weight: Floats
    """(n, H) ρ_{0:t}, the product of target over logged probability up to and with step t."""
    before: Floats
    """(n, H) ρ_{0:t−1}; 1 at the first step."""
    reward: Floats
    """(n, H) discounted: γ^t r_t."""
    q: Floats
    """(n, H) discounted: γ^t Q(s_t, a_t)."""
    v: Floats
    """(n, H) discounted: γ^t V(s_t)."""

    def __len__(self) -> int:
        return len(self.weight)

    @property
    def horizon(self) -> int:
        """H."""
        return int(self.weight.shape[1])


def table(trajectories: Trajectories, target: Floats, q: Floats | None = None, *, gamma: float = 1.0) -> Table:
    """From the target's distribution (N, K) over the actions at each logged step, and a model's Q-values (N, K) if there are any.

    γ discounts rewards. Raises `InvalidInput` where the target's rows are no distributions or do not hold the logged action.
    """
    _check(trajectories, target, gamma)
    rows = np.arange(trajectories.n_steps)
    ratio = target[rows, trajectories.action] / trajectories.probability
    weight: Floats = np.cumprod(trajectories.padded(ratio, after=1.0), axis=1, dtype=np.float64)
    discount = gamma ** np.arange(weight.shape[1])
    nothing = np.zeros_like(weight)
    return Table(
        weight,
        np.hstack([np.ones((len(weight), 1)), weight[:, :-1]]),
        discount * trajectories.padded(trajectories.reward),
        nothing if q is None else discount * trajectories.padded(q[rows, trajectories.action]),
        nothing if q is None else discount * trajectories.padded((target * q).sum(axis=1)),
    )


def _check(trajectories: Trajectories, target: Floats, gamma: float) -> None:
    if target.ndim != 2 or len(target) != trajectories.n_steps or trajectories.action.max() >= target.shape[1]:
        wanted = f"({trajectories.n_steps}, more than {trajectories.action.max()})"
        raise InvalidInput(f"Expected the target's probabilities in shape {wanted}, got {target.shape}", at="$.target")
    wrong = (np.abs(target.sum(axis=1) - 1) > 1e-6) | (target < 0).any(axis=1) | ~np.isfinite(target).all(axis=1)
    if wrong.any():
        raise InvalidInput("Expected probabilities that sum to 1", at=f"$.target[{int(wrong.argmax())}]")
    if not 0 < gamma <= 1:
        raise InvalidInput(f"Expected a discount above 0 and at most 1, got {gamma:g}", at="$.gamma")
