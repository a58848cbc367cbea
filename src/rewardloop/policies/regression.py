"""Disjoint ridge regressions of rewards on contexts, arm by arm, and all that they need: scaler, range, columns, sums."""

from __future__ import annotations

from collections.abc import Sequence
from math import isqrt
from typing import Final, NamedTuple, Self

import msgspec
import numpy as np

from rewardloop.features import Features
from rewardloop.interactions import Floats, Ints
from rewardloop.policies.columns import Columns, ColumnsState
from rewardloop.policies.design import Design
from rewardloop.policies.memory import Forgetting, Memory, MemoryState, Past
from rewardloop.policies.moments import Moments
from rewardloop.policies.rewards import RewardRange, RewardRangeState
from rewardloop.policies.scaling import Scaler, ScalerState

MAX_CELLS: Final = 1 << 24
"""K·d² numbers of one kind in memory; more arms leave fewer columns."""


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
    memory: MemoryState = MemoryState()


class Regression:
    """Reward of arm k at context x ~ N(x·θ_k, xᵀ A_k⁻¹ x), in units of the reward's range. Unweighted: no 1/p.

    The means and the posterior are those of the rows as they were scaled when they were learned: a column's z-score settles
    as 1/√n, and re-scaling old rows exactly would need the rows.
    """

    def __init__(self, rewards: RewardRange, scaler: Scaler, columns: Columns, memory: Memory) -> None:
        self._rewards, self._scaler, self._columns, self._memory = rewards, scaler, columns, memory
        self._design = Design(columns, scaler)

    @classmethod
    def new(
        cls,
        n_arms: int,
        max_columns: int,
        declared: tuple[float, float] | None,
        forgetting: Forgetting = "none",
        interactions: tuple[tuple[str, ...], ...] = (),
    ) -> Self:
        columns = Columns.new(min(max_columns, isqrt(MAX_CELLS // n_arms) - 1), interactions)
        return cls(RewardRange(declared), Scaler(), columns, Memory.new(n_arms, forgetting))

    @property
    def moments(self) -> Moments:
        """The sums to decide by."""
        return self._memory.moments

    @property
    def past(self) -> Past:
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

    def state(self) -> RegressionState:
        return RegressionState(self._rewards.state(), self._scaler.state(), self._columns.state(), self._memory.state())

    @classmethod
    def from_state(cls, state: RegressionState, past: Past, forgetting: Forgetting) -> Self:
        """θ is computed again, from the same numbers by the same operations: the same bits."""
        memory = Memory(past, forgetting, state.memory)
        made = cls(RewardRange.from_state(state.rewards), Scaler.from_state(state.scaler), Columns(state.columns), memory)
        made._solve()
        return made

    @property
    def width(self) -> int:
        """d, the constant included."""
        return self._design.width

    def add_arms(self, n: int) -> None:
        """Further arms behind the others, untried."""
        self._memory.resize(self.moments.n_arms + n, self.moments.width)

    def posterior(self, context: Features) -> tuple[list[float], list[float]]:
        """K means and standard deviations."""
        return self.moments.posterior(self._design.row(context))

    def posterior_many(self, contexts: Sequence[Features]) -> tuple[Floats, Floats]:
        """(n, K) of each, as arrays."""
        return self.moments.posterior_many(self._design.rows(contexts))

    def learn(self, batch: Batch) -> None:
        """One event updates its own arm alone, unless it widens an undeclared range of rewards: then every θ moves."""
        self._fit(batch)
        self._sum(batch)

    def _fit(self, batch: Batch) -> None:
        """Range, scales and columns."""
        before = (self._rewards.low, self._rewards.width)
        self._rewards.update(batch.rewards)
        self._scaler.update(batch.contexts)
        self._grow(batch.contexts)
        if before != (self._rewards.low, self._rewards.width):
            self._solve()

    def _sum(self, batch: Batch) -> None:
        """The posterior."""
        rewards, start = np.clip(batch.rewards, self._rewards.low, self._rewards.high), 0
        while start < len(batch.arms):
            rows = slice(start, start + self._memory.step())
            arms, X = self._rows(batch.contexts[rows], batch.arms[rows])
            self._memory.add(arms, X, rewards[rows], self._rewards.low, self._rewards.width)
            start = rows.stop

    def _rows(self, contexts: Sequence[Features], arms: Ints) -> tuple[Ints, Floats]:
        """Whose sums the events belong to, and with which rows."""
        return arms, self._design.rows(contexts)

    def _grow(self, contexts: Sequence[Features]) -> None:
        self._columns.grow(contexts)
        if len(self._columns.pairs) == self._design.width:
            self._design.rescale(self._scaler)
            return
        self._design = Design(self._columns, self._scaler)
        self._memory.resize(self.moments.n_arms, self.width)

    def _solve(self) -> None:
        self._memory.solve(np.arange(self.moments.n_arms), self._rewards.low, self._rewards.width)
