"""One ridge regression of rewards on products of a context's and an action's features. The exploration is in `featured`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import msgspec
import numpy as np

from rewardloop.features import ActionSet, Features
from rewardloop.interactions import Floats
from rewardloop.policies.beginning import Events
from rewardloop.policies.memory import Forgetting, Memory, MemoryState, Past
from rewardloop.policies.rewards import RewardRange, RewardRangeState
from rewardloop.policies.scaling import Scaler, ScalerState
from rewardloop.policies.term_rows import Offered, TermRows
from rewardloop.policies.terms import Pair, Terms, TermsState


class BilinearState(msgspec.Struct, frozen=True):
    """Everything but the sums."""

    rewards: RewardRangeState
    contexts: ScalerState
    actions: ScalerState
    terms: TermsState
    memory: MemoryState


class Bilinear:
    """Reward of action a in context s ~ N(x·θ, xᵀ A⁻¹ x), x_c = s_i·a_j of term c, in units of the reward's range.

    All actions share θ, so what was learned of one tells of those that resemble it, ones that were never seen among them.
    """

    def __init__(self, rewards: RewardRange, contexts: Scaler, actions: Scaler, terms: Terms, memory: Memory) -> None:
        self._rewards, self._contexts, self._actions, self._terms, self._memory = rewards, contexts, actions, terms, memory
        self._rows = TermRows(terms, contexts, actions)

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

    @property
    def width(self) -> int:
        """d, the constant included."""
        return self._rows.width

    def draws(self, normal: Floats) -> Floats:
        """(m, d) θ + L z for rows z of `normal` (m, d), A⁻¹ = L Lᵀ: the posterior, drawn from m times. For `scores`."""
        moments = self._memory.moments
        root = np.linalg.cholesky(moments.inverse[0])
        return self._rows.arranged(moments.theta[0] + normal @ root.T)

    def offered(self, actions: ActionSet) -> Offered:
        """Actions as rows, good until something is learned."""
        return self._rows.offered(actions)

    def scores(self, context: Features, weights: Floats, offered: Offered) -> Floats:
        """(m, K) of `draws`."""
        return self._rows.scores(self._rows.folded(context, weights), offered)

    def posterior(self, context: Features, offered: Offered) -> tuple[Floats, Floats]:
        """(K,) means and standard deviations."""
        moments = self._memory.moments
        mean = self.scores(context, self._rows.arranged(moments.theta), offered)[0]
        return mean, self._rows.spread(context, moments.inverse[0], offered)

    def learn(self, events: Events) -> None:
        """Range, scales and terms first, then the posterior."""
        before = (self._rewards.low, self._rewards.width)
        self._rewards.update(events.rewards)
        self._contexts.update(context for context, _ in events.pairs)
        self._actions.update(action for _, action in events.pairs)
        self._grow(events.pairs)
        if before != (self._rewards.low, self._rewards.width):
            self._solve()
        self._sum(events)

    def _sum(self, events: Events) -> None:
        rewards, start = np.clip(events.rewards, self._rewards.low, self._rewards.high), 0
        while start < len(rewards):
            rows = slice(start, start + self._memory.step())
            X = self._rows.events(events.pairs[rows])
            self._memory.add(np.zeros(len(X), np.int64), X, rewards[rows], self._rewards.low, self._rewards.width)
            start = rows.stop

    def _grow(self, pairs: Sequence[Pair]) -> None:
        self._terms.grow(pairs)
        if len(self._terms.terms) == self._rows.width:
            self._rows.rescale(self._contexts, self._actions)
            return
        self._rows = TermRows(self._terms, self._contexts, self._actions)
        self._memory.resize(1, self.width)

    def _solve(self) -> None:
        self._memory.solve(np.zeros(1, np.int64), self._rewards.low, self._rewards.width)
