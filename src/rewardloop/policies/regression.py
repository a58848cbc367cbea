"""Disjoint ridge regressions of rewards on contexts, arm by arm, and all that they need: scaler, range, columns, sums."""

from __future__ import annotations

from collections.abc import Sequence
from math import isqrt
from typing import NamedTuple, Self

import msgspec
import numpy as np

from rewardloop.features import Features
from rewardloop.interactions import Floats, Ints
from rewardloop.policies.columns import Columns, ColumnsState
from rewardloop.policies.design import Design
from rewardloop.policies.moments import Moments
from rewardloop.policies.rewards import RewardRange, RewardRangeState
from rewardloop.policies.scaling import Scaler, ScalerState

_MAX_CELLS = 1 << 24
"""K·d² numbers of one kind in memory; more arms leave fewer columns."""
_ROWS = 4_096
"""Rows of the design made at once."""


class Batch(NamedTuple):
    """Events as a regression sees them."""

    contexts: Sequence[Features]
    arms: Ints
    rewards: Floats

    def then(self, other: Batch) -> Batch:
        rewards = np.concatenate([self.rewards, other.rewards])
        return Batch([*self.contexts, *other.contexts], np.concatenate([self.arms, other.arms]), rewards)


class RegressionState(msgspec.Struct, frozen=True):
    """Everything but the sums."""

    rewards: RewardRangeState
    scaler: ScalerState
    columns: ColumnsState


class Regression:
    """Reward of arm k at context x ~ N(x·θ_k, xᵀ A_k⁻¹ x), in units of the reward's range. Unweighted: no 1/p.

    The means and the posterior are those of the rows as they were scaled when they were learned: a column's z-score settles
    as 1/√n, and re-scaling old rows exactly would need the rows.
    """

    def __init__(self, rewards: RewardRange, scaler: Scaler, columns: Columns, moments: Moments) -> None:
        self._rewards, self._scaler, self._columns, self.moments = rewards, scaler, columns, moments
        self._design = Design(columns, scaler)

    @classmethod
    def new(cls, n_arms: int, max_columns: int, declared: tuple[float, float] | None) -> Self:
        columns = Columns.new(min(max_columns, isqrt(_MAX_CELLS // n_arms) - 1))
        return cls(RewardRange(declared), Scaler(), columns, Moments(n_arms, width=1))

    def state(self) -> RegressionState:
        return RegressionState(self._rewards.state(), self._scaler.state(), self._columns.state())

    @classmethod
    def from_state(cls, state: RegressionState, moments: Moments) -> Self:
        """θ is computed again, from the same numbers by the same operations: the same bits."""
        made = cls(RewardRange.from_state(state.rewards), Scaler.from_state(state.scaler), Columns(state.columns), moments)
        made._solve(np.arange(moments.n_arms))
        return made

    @property
    def width(self) -> int:
        """d, the constant included."""
        return self._design.width

    def add_arms(self, n: int) -> None:
        """Further arms behind the others, untried."""
        self.moments = self.moments.resized(self.moments.n_arms + n, self.moments.width)

    def posterior(self, context: Features) -> tuple[Floats, Floats]:
        """(K,) means and standard deviations."""
        return self.moments.posterior(self._design.row(context))

    def posterior_many(self, contexts: Sequence[Features]) -> tuple[Floats, Floats]:
        """(n, K) means and standard deviations."""
        return self.moments.posterior_many(self._design.rows(contexts))

    def learn(self, batch: Batch) -> None:
        """One event updates its own arm alone, unless it widens an undeclared range of rewards: then every θ moves."""
        before = (self._rewards.low, self._rewards.width)
        self._rewards.update(batch.rewards)
        self._scaler.update(batch.contexts)
        self._grow(batch.contexts)
        for start in range(0, len(batch.arms), _ROWS):
            rows = slice(start, start + _ROWS)
            rewards = np.clip(batch.rewards[rows], self._rewards.low, self._rewards.high)
            self.moments.add_many(batch.arms[rows], self._design.rows(batch.contexts[rows]), rewards)
        same_range = before == (self._rewards.low, self._rewards.width)
        self._solve(batch.arms if same_range else np.arange(self.moments.n_arms))

    def _grow(self, contexts: Sequence[Features]) -> None:
        self._columns.grow(contexts)
        if len(self._columns.pairs) == self.width:
            self._design.rescale(self._scaler)
            return
        self._design = Design(self._columns, self._scaler)
        self.moments = self.moments.resized(self.moments.n_arms, self.width)

    def _solve(self, arms: Ints) -> None:
        self.moments.solve(arms, self._rewards.low, self._rewards.width)
