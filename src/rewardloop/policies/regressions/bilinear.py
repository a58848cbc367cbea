"""One ridge regression of rewards on products of a context's and an action's features. The exploration is in `featured`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import msgspec
import numpy as np

from rewardloop.features import Features
from rewardloop.interactions import Floats, Ints
from rewardloop.policies.design.beginning import Events
from rewardloop.policies.design.term_rows import Offered, TermRows
from rewardloop.policies.design.terms import Pair, Terms, TermsState
from rewardloop.policies.regressions.memory import Forgetting, Memory, MemoryState, Past
from rewardloop.policies.regressions.regression import Regression
from rewardloop.policies.rewards import RewardRange, RewardRangeState
from rewardloop.policies.scaling import Scaler, ScalerState


class BilinearState(msgspec.Struct, frozen=True):
    """Everything but the sums."""

    rewards: RewardRangeState
    contexts: ScalerState
    actions: ScalerState
    terms: TermsState
    memory: MemoryState


class Bilinear(Regression[Events]):
    """Reward of action a in context s ~ N(x·θ, xᵀ A⁻¹ x), x_c = s_i·a_j of term c, in units of the reward's range.

    All actions share θ, so what was learned of one tells of those that resemble it, ones that were never seen among them.
    """

    def __init__(self, rewards: RewardRange, contexts: Scaler, actions: Scaler, terms: Terms, memory: Memory) -> None:
        super().__init__(rewards, memory)
        self._contexts, self._actions, self._terms = contexts, actions, terms
        self.rows = TermRows(terms, contexts, actions)
        """Contexts and actions as numbers, good until something is learned."""

    @classmethod
    def of(cls, events: Events, terms: Terms, declared: tuple[float, float] | None, forgetting: Forgetting) -> Self:
        """One that has learned these events alone."""
        memory = Memory(Past.blank(1, len(terms.terms), forgetting), forgetting, MemoryState())
        made = cls(RewardRange(declared), Scaler(), Scaler(), terms, memory)
        made.learn(events)
        return made

    @classmethod
    def restored(cls, state: BilinearState, past: Past, forgetting: Forgetting) -> Self:
        scalers = Scaler.from_state(state.contexts), Scaler.from_state(state.actions)
        memory = Memory(past, forgetting, state.memory)
        made = cls(RewardRange.from_state(state.rewards), *scalers, Terms(state.terms), memory)
        made._solve()
        return made

    def state(self) -> BilinearState:
        scales = self._contexts.state(), self._actions.state()
        return BilinearState(self._rewards.state(), *scales, self._terms.state(), self._memory.state())

    @property
    def width(self) -> int:
        """d, the constant included."""
        return self.rows.width

    def draws(self, normal: Floats) -> Floats:
        """(d, m) θ + L z for rows z of `normal` (m, d), A⁻¹ = L Lᵀ: the posterior, drawn from m times. For `scores`."""
        moments = self.moments
        root = np.linalg.cholesky(moments.inverse[0])
        return self.rows.arranged(moments.theta[0][:, None] + root @ normal.T)

    def posterior(self, context: Features, offered: Offered) -> tuple[Floats, Floats]:
        """(K,) means and standard deviations."""
        rows, moments = self.rows, self.moments
        mean = rows.scores(rows.folded(rows.context(context), rows.arranged(moments.theta.T)), offered)[:, 0]
        return mean, rows.spread(context, moments.inverse[0], offered)

    def _look(self, events: Events) -> None:
        self._contexts.update(context for context, _ in events.pairs)
        self._actions.update(action for _, action in events.pairs)
        self._grow(events.pairs)

    def _rows(self, events: Events, part: slice) -> tuple[Ints, Floats]:
        X = self.rows.events(events.pairs[part])
        return np.zeros(len(X), np.int64), X

    def _grow(self, pairs: Sequence[Pair]) -> None:
        self._terms.grow(pairs)
        if len(self._terms.terms) == self.rows.width:
            self.rows.rescale(self._contexts, self._actions)
            return
        self.rows = TermRows(self._terms, self._contexts, self._actions)
        self._memory.resize(1, self.width)
