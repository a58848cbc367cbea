"""Estimators of an episode's expected discounted return under the target policy.

Each is a function of a `Table` and of counts (B, n), how often each episode is taken, and returns (B,) values: with one row of
ones that is the estimate, with multinomial rows its bootstrap, in a few matrix products.

| | needs | bias | variance |
|---|---|---|---|
| `trajectory_is` | probabilities | none | grows exponentially with the horizon |
| `pdis` | probabilities | none | less: a reward is weighted by what led to it only (Precup, Sutton & Singh 2000) |
| `wis`, `wpdis` | probabilities | vanishes with n | much less: weights are shares of their sum (Precup et al. 2000) |
| `fqe` | a fitted Q-function | that of the fit | little (Le, Voloshin & Yue 2019) |
| `dr` | both | none if either is right | that of `pdis` on what Q leaves over (Jiang & Li 2016, eq. 10) |
| `wdr` | both | vanishes with n | the least of the unblended (Thomas & Brunskill 2016, eq. 12) |
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from rewardloop.evaluation.sequential.table import Table
from rewardloop.interactions import Floats

Estimator = Callable[[Table, Floats], Floats]


def trajectory_is(table: Table, counts: Floats) -> Floats:
    """1/n Σ_i ρ_{0:T} Σ_t γ^t r_t."""
    return _mean(table.weight[:, -1] * table.reward.sum(axis=1), counts)


def pdis(table: Table, counts: Floats) -> Floats:
    """1/n Σ_i Σ_t γ^t ρ_{0:t} r_t."""
    return _mean((table.weight * table.reward).sum(axis=1), counts)


def wis(table: Table, counts: Floats) -> Floats:
    """Σ_i ρ_{0:T} Σ_t γ^t r_t / Σ_i ρ_{0:T}."""
    last = table.weight[:, -1]
    return _ratio(counts @ (last * table.reward.sum(axis=1)), counts @ last)


def wpdis(table: Table, counts: Floats) -> Floats:
    """Σ_t Σ_i γ^t ρ_{0:t} r_t / Σ_i ρ_{0:t}."""
    values: Floats = _ratio(counts @ (table.weight * table.reward), counts @ table.weight).sum(axis=1)
    return values


def fqe(table: Table, counts: Floats) -> Floats:
    """1/n Σ_i V(s_0)."""
    return _mean(table.v[:, 0], counts)


def dr(table: Table, counts: Floats) -> Floats:
    """1/n Σ_i Σ_t γ^t [ρ_{0:t} (r_t − Q(s_t, a_t)) + ρ_{0:t−1} V(s_t)]."""
    return _mean((table.weight * (table.reward - table.q) + table.before * table.v).sum(axis=1), counts)


def wdr(table: Table, counts: Floats) -> Floats:
    """`dr` with each weight divided by the sum of its column."""
    residual = _ratio(counts @ (table.weight * (table.reward - table.q)), counts @ table.weight)
    values: Floats = (residual + _ratio(counts @ (table.before * table.v), counts @ table.before)).sum(axis=1)
    return values


ESTIMATORS: dict[str, Estimator] = {
    "trajectory_is": trajectory_is,
    "pdis": pdis,
    "wis": wis,
    "wpdis": wpdis,
    "fqe": fqe,
    "dr": dr,
    "wdr": wdr,
}


def _mean(scores: Floats, counts: Floats) -> Floats:
    mean: Floats = counts @ scores / counts.sum(axis=1)
    return mean


def _ratio(above: Floats, below: Floats) -> Floats:
    """0 where nothing weighs: such a step tells nothing."""
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)
