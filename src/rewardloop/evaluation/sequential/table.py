"""What every estimator of an episode's value is computed from: cumulative weights, rewards and a model's values, padded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rewardloop.errors import InvalidInput
from rewardloop.evaluation.sequential.target import Densities, likelihood
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


def table(
    trajectories: Trajectories,
    target: Floats | Densities,
    q: Floats | None = None,
    v: Floats | None = None,
    *,
    gamma: float = 1.0,
) -> Table:
    """From the target at each logged step: its distribution (N, K), or its densities.

    `q` and `v` are a model's values, if there are any: (N, K) of every action and no `v`, or (N,) of what was done and (N,) of the
    state. γ discounts rewards. Raises `InvalidInput` where the target's rows are no distributions or do not hold the logged action.
    """
    check_discount(gamma)
    ratio = likelihood(trajectories, target) / trajectories.probability
    weight: Floats = np.cumprod(trajectories.padded(ratio, after=1.0), axis=1, dtype=np.float64)
    discount = gamma ** np.arange(weight.shape[1])
    nothing = np.zeros_like(weight)
    done, state = (None, None) if q is None else (q, v) if v is not None else _of_arms(trajectories, target, q)
    return Table(
        weight,
        np.hstack([np.ones((len(weight), 1)), weight[:, :-1]]),
        discount * trajectories.padded(trajectories.reward),
        nothing if done is None else discount * trajectories.padded(done),
        nothing if state is None else discount * trajectories.padded(state),
    )


def check_discount(gamma: float) -> None:
    """Raises `InvalidInput` for a γ that is none."""
    if not 0 < gamma <= 1:
        raise InvalidInput(f"Expected a discount above 0 and at most 1, got {gamma:g}", at="$.gamma")


def _of_arms(trajectories: Trajectories, target: Floats | Densities, q: Floats) -> tuple[Floats, Floats]:
    assert not isinstance(target, Densities)
    return q[np.arange(len(q)), trajectories.action], (target * q).sum(axis=1)
