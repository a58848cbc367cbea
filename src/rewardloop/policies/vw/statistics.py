"""What a Vowpal Wabbit policy knows of its data besides weights: scales, the reward's range, whether to cross features."""

from __future__ import annotations

from itertools import chain
from typing import Final, Self

import msgspec

from rewardloop.interactions import Floats, Interactions
from rewardloop.policies.rewards import RewardRange, RewardRangeState
from rewardloop.policies.scaling import Scaler, ScalerState
from rewardloop.settings import ExperimentSettings

AUTO_FEATURES: Final = 64
"""auto crosses the context with itself while its features × those of an action are at most these."""
AUTO_CROSSED: Final = 128
QUADRATIC_CROSSED: Final = 1_024
"""A context has n² / 2 pairs: those beyond its first 128 (1,024 where the settings insist) features stay uncrossed."""


class StatisticsState(msgspec.Struct, frozen=True):
    n_learned: int
    crossed: int | None
    contexts: ScalerState
    actions: ScalerState
    rewards: RewardRangeState
    usual: tuple[int, float] = (0, 0.0)


class Statistics:
    """Changes in `observe` only. `crossed`: how many features of a context are crossed with each other; None: undecided."""

    def __init__(self, rewards: RewardRange) -> None:
        self.n_learned = 0
        self.crossed: int | None = None
        self.contexts = Scaler()
        self.actions = Scaler()
        self.rewards = rewards
        self.usual = (0, 0.0)
        """Rewards that were averaged, and their mean: CATS learns by what is better than that."""

    def average(self, rewards: Floats) -> None:
        """Counts the rewards of a batch that is about to be learned from, for the first and only time."""
        n, mean = self.usual
        self.usual = (n + len(rewards), mean + float((rewards - mean).sum()) / (n + len(rewards)))

    def observe(self, interactions: Interactions, settings: ExperimentSettings) -> None:
        """Counts a batch that is about to be learned from, not empty, for the first and only time."""
        if self.crossed is None:
            self.crossed = _crossed(interactions, settings)
        self.contexts.update(interactions.contexts)
        self.actions.update(chain.from_iterable(offered.features or () for offered in interactions.actions))
        self.rewards.update(interactions.reward)
        self.n_learned += len(interactions)

    def state(self) -> StatisticsState:
        scales = self.contexts.state(), self.actions.state()
        return StatisticsState(self.n_learned, self.crossed, *scales, self.rewards.state(), self.usual)

    @classmethod
    def from_state(cls, state: StatisticsState) -> Self:
        made = cls(RewardRange.from_state(state.rewards))
        made.n_learned, made.crossed, made.usual = state.n_learned, state.crossed, state.usual
        made.contexts, made.actions = Scaler.from_state(state.contexts), Scaler.from_state(state.actions)
        return made


def _crossed(interactions: Interactions, settings: ExperimentSettings) -> int:
    wanted = settings.policy.learner.interactions
    if wanted != "auto":
        return QUADRATIC_CROSSED if wanted == "quadratic" else 0
    if _mostly_words(interactions):
        return 0
    context = max(len(features) for features in interactions.contexts)
    action = max(1 + max(map(len, offered.features or ({},))) for offered in interactions.actions)
    return AUTO_CROSSED if context * action <= AUTO_FEATURES else 0


def _mostly_words(interactions: Interactions) -> bool:
    """Whether actions bring features and half of the contexts' features or more are words: ids, as a rule.

    Each pair of words then has weights of its own for each feature of each action, more than there will be events.
    """
    words = sum(type(value) is str for features in interactions.contexts for value in features.values())
    brought = any(offered.features is not None for offered in interactions.actions)
    return brought and 2 * words >= sum(map(len, interactions.contexts)) > 0
