"""One ridge regression for a continuous action: context × where in the range. The exploration is `native.cells`'."""

from __future__ import annotations

from typing import NamedTuple, Self

import numpy as np

from rewardloop.cells import Cells
from rewardloop.features import Features
from rewardloop.interactions import Floats, Ints
from rewardloop.policies.design.columns import Columns
from rewardloop.policies.regressions.linear import Batch, Linear, LinearState
from rewardloop.policies.regressions.memory import Forgetting, Memory, Past
from rewardloop.policies.regressions.moments import Moments
from rewardloop.policies.regressions.ridge_files import LinearConfig
from rewardloop.policies.rewards import RewardRange
from rewardloop.policies.scaling import Scaler


class Curve(NamedTuple):
    """What is believed of one context: the reward in cell k is N(F_k·mean, F_kᵀ covariance F_k), jointly over the cells."""

    mean: Floats
    """(m,)"""
    covariance: Floats
    """(m, m)"""


def factors(n_cells: int) -> Floats:
    """(K, m) F: a constant and the bumps of each cell."""
    bumps = np.array(Cells(0.0, 1.0, n_cells).bumps())
    return np.column_stack([np.ones(n_cells), bumps])


class Surface(Linear):
    """Reward of cell k at context x ~ x ⊗ F_k, in units of the reward's range: neighbouring cells learn from one another.

    x are the columns of `design`, with those of degree 2 where they are few. The rows are (d·m,), columns outermost, so that a
    new column of the context is appended behind.
    """

    def __init__(self, rewards: RewardRange, scaler: Scaler, columns: Columns, memory: Memory[Moments], F: Floats) -> None:
        super().__init__(rewards, scaler, columns, memory)
        self.F = F

    @classmethod
    def blank(cls, config: LinearConfig, F: Floats) -> Self:
        """One that has seen nothing; twice `max_columns` wide at most."""
        memory = Memory.new(Moments(1, config.n_factors), config.forgetting)
        columns = Columns.new(max(2, 2 * config.max_columns // config.n_factors), config.interactions)
        return cls(RewardRange(config.range), Scaler(), columns, memory, F)

    @classmethod
    def restored(cls, state: LinearState, past: Past[Moments], forgetting: Forgetting, F: Floats) -> Self:
        memory = Memory(past, forgetting, state.memory)
        made = cls(RewardRange.from_state(state.rewards), Scaler.from_state(state.scaler), Columns(state.columns), memory, F)
        made._solve()
        return made

    @property
    def width(self) -> int:
        """d·m"""
        width: int = self._design.width * self.F.shape[1]
        return width

    def curve(self, context: Features) -> Curve:
        """The posterior at a context."""
        x, m = self._design.row(context), self.F.shape[1]
        moments = self.moments
        half = np.einsum("i,ibw->bw", x, moments.inverse[0].reshape(len(x), m, -1))
        return Curve(x @ moments.theta[0].reshape(len(x), m), np.einsum("bjc,j->bc", half.reshape(m, len(x), m), x))

    def _rows(self, events: Batch, part: slice) -> tuple[Ints, Floats]:
        X = self._design.rows(events.contexts[part])
        rows: Floats = (X[:, :, None] * self.F[events.arms[part]][:, None, :]).reshape(len(X), -1)
        return np.zeros(len(X), np.int64), rows
