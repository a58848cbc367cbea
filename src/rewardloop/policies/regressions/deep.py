"""The ridge regressions with a trained hidden layer among their columns. When it is trained is `neural`'s business."""

from __future__ import annotations

from collections.abc import Sequence
from math import isqrt
from typing import Final, Self

import numpy as np

from rewardloop.features import Features
from rewardloop.interactions import Floats, Ints
from rewardloop.policies.design.columns import Columns
from rewardloop.policies.regressions.linear import MAX_CELLS, Batch, Linear, LinearState
from rewardloop.policies.regressions.memory import Memory, Past
from rewardloop.policies.regressions.moments import Moments
from rewardloop.policies.regressions.ridge_files import LinearConfig
from rewardloop.policies.regressions.trunk import Examples, Trunk
from rewardloop.policies.rewards import RewardRange
from rewardloop.policies.scaling import Scaler

N_HIDDEN: Final = 64


def n_hidden(n_arms: int) -> int:
    """Hidden units: very many arms leave room for fewer.

    >>> n_hidden(10), n_hidden(10_000)
    (64, 20)
    """
    return min(N_HIDDEN, max(1, isqrt(MAX_CELLS // n_arms) // 2))


class Deep(Linear):
    """Rows are [1, hidden units, columns of the design]: an untrained layer is 0, and leaves the regressions as they are.

    The layer sees the columns without their products. In its place in front, new columns are appended behind.
    """

    def __init__(self, rewards: RewardRange, scaler: Scaler, columns: Columns, memory: Memory[Moments], trunk: Trunk) -> None:
        super().__init__(rewards, scaler, columns, memory)
        self.trunk = trunk
        self._n_pairs, self._places = 0, np.empty(0, dtype=np.intp)
        self._find_inputs()

    @classmethod
    def blank(cls, config: LinearConfig, n_arms: int) -> Self:
        """One that has seen nothing."""
        memory = Memory.new(Moments(n_arms, 1 + config.n_hidden), config.forgetting)
        room = isqrt(MAX_CELLS // n_arms) - config.n_hidden - 1
        columns = Columns.new(max(1, min(config.max_columns, room)), config.interactions)
        return cls(RewardRange(config.range), Scaler(), columns, memory, Trunk.blank(config.n_hidden))

    @classmethod
    def trained(cls, config: LinearConfig, n_arms: int, batch: Batch, rng: np.random.Generator) -> Self:
        """All of it from these events alone: columns and scales, then the hidden layer, then the posterior over both."""
        made = cls.blank(config, n_arms)
        made._fit(batch)
        inputs = made._inputs(made._design.rows(batch.contexts))
        examples = Examples(inputs, batch.arms, made._rewards.to_unit(batch.rewards))
        made.trunk = Trunk.trained(examples, n_arms, config.n_hidden, rng)
        made._sum(batch)
        return made

    @classmethod
    def restored(cls, state: LinearState, past: Past[Moments], config: LinearConfig, trunk: Trunk) -> Self:
        memory = Memory(past, config.forgetting, state.memory)
        columns = Columns(state.columns)
        made = cls(RewardRange.from_state(state.rewards), Scaler.from_state(state.scaler), columns, memory, trunk)
        made._solve()
        return made

    @property
    def width(self) -> int:
        """d, the constant and the hidden units included."""
        return self._design.width + len(self.trunk.bias)

    def posterior(self, context: Features) -> tuple[list[float], list[float]]:
        return self.moments.posterior(self._extended(self._design.row(context)[None])[0])

    def posterior_many(self, contexts: Sequence[Features]) -> tuple[Floats, Floats]:
        return self.moments.posterior_many(self._extended(self._design.rows(contexts)))

    def _rows(self, events: Batch, part: slice) -> tuple[Ints, Floats]:
        arms, X = super()._rows(events, part)
        return arms, self._extended(X)

    def _grow(self, contexts: Sequence[Features]) -> None:
        super()._grow(contexts)
        self._find_inputs()

    def _find_inputs(self) -> None:
        pairs = self._columns.pairs
        if len(pairs) != self._n_pairs:
            self._n_pairs = len(pairs)
            self._places = np.array([i for i, pair in enumerate(pairs) if i and len(pair) == 2 and not pair[0]], dtype=np.intp)

    def _inputs(self, X: Floats) -> Floats:
        """(n, p) the columns without their products, in z-scores."""
        return X.take(self._places, axis=1) / self._columns.unit

    def _extended(self, X: Floats) -> Floats:
        return np.concatenate([X[:, :1], self.trunk.hidden(self._inputs(X)), X[:, 1:]], axis=1)
