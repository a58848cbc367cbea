"""One ridge regression of rewards on products of a context's and an action's features. The exploration is in `featured`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Self

import msgspec
import numpy as np

from rewardloop.features import Features
from rewardloop.interactions import Floats, Ints
from rewardloop.policies.design.beginning import Events
from rewardloop.policies.design.term_rows import Offered, TermRows
from rewardloop.policies.design.terms import Pair, Terms, TermsState
from rewardloop.policies.design.weights import Layout, Weights
from rewardloop.policies.regressions.memory import Forgetting, Memory, MemoryState, Past
from rewardloop.policies.regressions.regression import Regression
from rewardloop.policies.regressions.roots import Roots
from rewardloop.policies.rewards import RewardRange, RewardRangeState
from rewardloop.policies.scaling import Scaler, ScalerState


class BilinearState(msgspec.Struct, frozen=True):
    """Everything but the sums."""

    rewards: RewardRangeState
    contexts: ScalerState
    actions: ScalerState
    terms: TermsState
    memory: MemoryState


class Believed(NamedTuple):
    """What is expected of actions, and how surely: weights of the joint terms and their root, and of those apart."""

    rows: TermRows
    mean: Weights
    root: Weights
    apart: Weights | None
    variance: Weights | None

    def of(self, context: Features, offered: Offered) -> tuple[Floats, Floats]:
        """(K,) means x·θ and standard deviations √(xᵀ A⁻¹ x)."""
        s, rows = self.rows.context(context), self.rows
        mean = rows.scores(self.mean.folded(s), offered)[:, 0]
        variance = np.square(rows.scores(self.root.folded(s), offered)).sum(axis=1)
        if self.apart is not None and self.variance is not None:
            mean += rows.scores(self.apart.folded(s), offered)[:, 0]
            variance += rows.scores(self.variance.folded(s * s), offered, power=2)[:, 0]
        return mean, np.sqrt(variance)


class Bilinear(Regression[Events, Roots]):
    """Reward of action a in context s ~ N(x·θ, xᵀ A⁻¹ x), x_c = s_i·a_j of term c, in units of the reward's range.

    All actions share θ, so what was learned of one tells of those that resemble it, ones that were never seen among them. Of terms
    beyond the room of `Roots` the posterior has a weight and a variance each.
    """

    def __init__(self, rewards: RewardRange, contexts: Scaler, actions: Scaler, terms: Terms, memory: Memory[Roots]) -> None:
        super().__init__(rewards, memory)
        self._contexts, self._actions, self._terms = contexts, actions, terms
        self.rows = TermRows(terms, contexts, actions)
        """Contexts and actions as numbers, good until something is learned."""
        self._lay_out()

    @classmethod
    def of(cls, events: Events, terms: Terms, room: int, declared: tuple[float, float] | None, forgetting: Forgetting) -> Self:
        """One that has learned these events alone; `room` terms are joint, the constant included."""
        memory = Memory.new(Roots(len(terms.terms), room, terms.apart), forgetting)
        made = cls(RewardRange(declared), Scaler(), Scaler(), terms, memory)
        made.learn(events)
        return made

    @classmethod
    def restored(cls, state: BilinearState, past: Past[Roots], forgetting: Forgetting) -> Self:
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

    def drawn(self, normal: Floats) -> Weights:
        """(j, m) θ + S zᵀ for rows z of `normal` (m, j + …): the posterior of the joint terms, drawn from m times."""
        sums = self.moments
        return self._weighing(self._joint, sums.theta[: sums.joint, None] + sums.spread(normal))

    @property
    def apart(self) -> Weights | None:
        """(d − j, 1) what is expected of the other weights, where there are any."""
        return self._weighing(self._apart, self.moments.theta[self.moments.joint :, None]) if len(self._apart) else None

    def believed(self) -> Believed:
        """Means and standard deviations, good until something is learned."""
        sums = self.moments
        mean, root = (self._weighing(self._joint, of) for of in (sums.theta[: sums.joint, None], sums.whole_root()))
        variance = self._weighing(self._apart, sums.variance[:, None], power=2) if len(self._apart) else None
        return Believed(self.rows, mean, root, self.apart, variance)

    def _weighing(self, layout: Layout, weights: Floats, power: int = 1) -> Weights:
        """Of products as they are, not multiplied by their scales."""
        joint = self.moments.joint
        scales = self.rows.scales[:joint] if layout is self._joint else self.rows.scales[joint:]
        return Weights(layout, weights * (scales**power)[:, None])

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
        self._lay_out()

    def _lay_out(self) -> None:
        joint = self.moments.joint
        self._joint, self._apart = self.rows.layout(0, joint), self.rows.layout(joint, self.rows.width)
