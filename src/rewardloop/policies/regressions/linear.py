"""Disjoint ridge regressions of rewards on contexts, arm by arm: which columns a context has. No exploration."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import isqrt
from typing import Final, NamedTuple, Self

import msgspec
import numpy as np

from rewardloop.features import Features
from rewardloop.interactions import Floats, Ints
from rewardloop.policies.design.columns import Columns, ColumnsState
from rewardloop.policies.design.design import Design
from rewardloop.policies.regressions.memory import Forgetting, Memory, MemoryState, Past
from rewardloop.policies.regressions.moments import Moments
from rewardloop.policies.regressions.regression import Regression
from rewardloop.policies.rewards import RewardRange, RewardRangeState
from rewardloop.policies.scaling import Scaler, ScalerState

MAX_CELLS: Final = 1 << 24
"""K·d² numbers of one kind in memory; more arms leave fewer columns."""

Event = tuple[Features, int, float]
"""Context, arm and reward."""


class Batch(NamedTuple):
    """Events as a regression sees them."""

    contexts: Sequence[Features]
    arms: Ints
    rewards: Floats

    @classmethod
    def of(cls, events: Iterable[Event]) -> Self:
        kept = list(events)
        arms, rewards = [arm for _, arm, _ in kept], [reward for _, _, reward in kept]
        return cls([context for context, _, _ in kept], np.array(arms, dtype=np.int64), np.array(rewards, dtype=np.float64))

    def events(self) -> list[Event]:
        """One by one, for a file."""
        return list(zip(self.contexts, self.arms.tolist(), self.rewards.tolist(), strict=True))

    def then(self, other: Batch) -> Batch:
        rewards = np.concatenate([self.rewards, other.rewards])
        return Batch([*self.contexts, *other.contexts], np.concatenate([self.arms, other.arms]), rewards)


class LinearState(msgspec.Struct, frozen=True):
    """Everything but the sums."""

    rewards: RewardRangeState
    scaler: ScalerState
    columns: ColumnsState
    memory: MemoryState = MemoryState()


class Linear(Regression[Batch, Moments]):
    """Reward of arm k at context x ~ N(x·θ_k, xᵀ A_k⁻¹ x), in units of the reward's range. Unweighted: no 1/p.

    The means and the posterior are those of the rows as they were scaled when they were learned: a column's z-score settles
    as 1/√n, and re-scaling old rows exactly would need the rows.
    """

    def __init__(self, rewards: RewardRange, scaler: Scaler, columns: Columns, memory: Memory[Moments]) -> None:
        super().__init__(rewards, memory)
        self._scaler, self._columns = scaler, columns
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
        return cls(RewardRange(declared), Scaler(), columns, Memory.new(Moments(n_arms, 1), forgetting))

    def state(self) -> LinearState:
        return LinearState(self._rewards.state(), self._scaler.state(), self._columns.state(), self._memory.state())

    @classmethod
    def from_state(cls, state: LinearState, past: Past[Moments], forgetting: Forgetting) -> Self:
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
        return self.moments.posterior(self._design.row(context), self._design.folding)

    def posterior_many(self, contexts: Sequence[Features]) -> tuple[Floats, Floats]:
        """(n, K) of each, as arrays."""
        return self.moments.posterior_many(self._design.rows(contexts), self._design.folding)

    def _look(self, events: Batch) -> None:
        self._scaler.update(events.contexts)
        self._grow(events.contexts)

    def _rows(self, events: Batch, part: slice) -> tuple[Ints, Floats]:
        return events.arms[part], self._design.rows(events.contexts[part])

    def _grow(self, contexts: Sequence[Features]) -> None:
        self._columns.grow(contexts)
        if len(self._columns.pairs) == self._design.width:
            self._design.rescale(self._scaler)
            return
        self._design = Design(self._columns, self._scaler)
        self._memory.resize(self.moments.n_arms, self.width)
