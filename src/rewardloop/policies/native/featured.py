"""Linear Thompson sampling and LinUCB over actions that requests bring, with features: one regression for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final, Self

import numpy as np

from rewardloop.actions import ActionSet
from rewardloop.errors import InvalidSettings
from rewardloop.features import Features
from rewardloop.interactions import Floats, Interactions
from rewardloop.policies.contract import one_by_one
from rewardloop.policies.design.beginning import Beginning, Events
from rewardloop.policies.design.terms import Pair, of_action
from rewardloop.policies.native.drawn import Drawn, Sets
from rewardloop.policies.native.posterior import N_DRAWS, UpperConfidence
from rewardloop.policies.regressions.bilinear import Believed, Bilinear
from rewardloop.policies.regressions.featured_files import FeaturedState, load_featured, save_featured
from rewardloop.policies.regressions.sums_files import RidgeConfig
from rewardloop.policies.rewards import require_finite
from rewardloop.settings import ExperimentSettings


class FeaturedPolicy:
    """A ridge regression over products of a context's and an action's features; `alpha` is Thompson's v or LinUCB's a.

    Thompson: the share of 64 fixed draws of the posterior in which an action is the best; LinUCB: all on the highest upper bound.
    Uniform until it has learned something. Up to 1,000 events, terms and scales are chosen anew each time a quarter more were
    learned. O(d²) to learn an event, O(64·d + 64·K) a decision among K actions, and O(d³) for the first decision after learning.
    """

    gains_by_batches: Final = True

    def __init__(self, config: RidgeConfig, regression: Bilinear | None, beginning: Beginning | None) -> None:
        self._config = config
        self._regression = regression
        self._beginning = beginning
        half = np.random.default_rng(config.seed).standard_normal((config.max_columns + 1, N_DRAWS // 2))
        self._normal = config.alpha * np.concatenate([half, -half], axis=1).T
        self._bound = UpperConfidence(config.alpha)
        self._drawn: Drawn | None = None
        self._believed: tuple[Believed, Sets] | None = None

    @classmethod
    def new(cls, settings: ExperimentSettings, seed: int) -> Self:
        """Raises `InvalidSettings` where the actions are fixed, the exploration not this engine's, or interactions named."""
        rule, learner = settings.exploration, settings.policy.learner
        if settings.actions is not None or rule not in ("lints", "linucb"):
            raise InvalidSettings(f"Expected `lints` or `linucb` for actions of requests, got `{rule}`", at="$.policy.exploration")
        if isinstance(learner.interactions, tuple):
            raise InvalidSettings(
                f"Expected `auto`: `{rule}` for actions with features finds its products itself; `regcbopt` takes them by name",
                at="$.policy.learner.interactions",
            )
        rewards = settings.reward.range
        config = RidgeConfig(rule, settings.policy.alpha, seed, learner.max_columns, rewards, learner.forgetting)
        return cls(config, None, Beginning.new())

    @property
    def n_restarts(self) -> int:
        """How often the past was forgotten because the recent past predicted better."""
        return self._regression.n_restarts if self._regression is not None else 0

    @property
    def n_since_change(self) -> int | None:
        """Events learned since the world changed, by and large; None where it has not."""
        return self._regression.n_since_change if self._regression is not None else None

    def pmf(self, context: Features, actions: ActionSet) -> Sequence[float]:
        if self._regression is None:
            return [1.0 / len(actions)] * len(actions)
        if self._config.rule == "linucb":
            believed, sets = self._bounds(self._regression)
            mean, sd = believed.of(context, sets.of(actions).offered)
            return self._bound.pmf(mean.tolist(), sd.tolist())
        shares: list[float] = self._draws(self._regression).shares(context, actions).tolist()
        return shares

    def upper_bounds(self, context: Features, actions: ActionSet) -> Floats | None:
        """(K,) LinUCB's mean + a·sd of each action, whatever the rule; None where nothing was learned yet."""
        if self._regression is None:
            return None
        believed, sets = self._bounds(self._regression)
        mean, sd = believed.of(context, sets.of(actions).offered)
        return mean + self._config.alpha * sd

    def pmf_many(self, contexts: Sequence[Features], actions: Sequence[ActionSet]) -> Floats:
        if self._regression is None or self._config.rule == "linucb":
            return one_by_one(self, contexts, actions)
        return self._draws(self._regression).shares_many(contexts, actions)

    def learn(self, interactions: Interactions) -> None:
        """Raises `InvalidInput`, with nothing learned, for a reward that is not finite."""
        if not len(interactions):
            return
        require_finite(interactions.reward)
        config, events, chosen = self._config, Events(_pairs(interactions), interactions.reward), None
        if self._beginning is not None:
            self._beginning.add(events, interactions.actions)
            chosen = self._beginning.choose(config.max_columns)
        if self._beginning is not None and chosen is not None:
            self._regression = Bilinear.of(self._beginning.events, chosen, config.max_columns + 1, config.range, config.forgetting)
        elif self._regression is not None:
            self._regression.learn(events)
        if self._beginning is not None and self._beginning.over:
            self._beginning = None
        self._forget()

    def save(self, directory: Path) -> None:
        made, beginning = self._regression, self._beginning
        regression = made.state() if made is not None else None
        state = FeaturedState(self._config, regression, beginning.state() if beginning is not None else None, "roots")
        save_featured(directory, state, made.past if made is not None else None)

    @classmethod
    def load(cls, directory: Path) -> Self:
        state, past = load_featured(directory)
        regression = None
        if state.regression is not None and past is not None:
            regression = Bilinear.restored(state.regression, past, state.config.forgetting)
        return cls(state.config, regression, Beginning.from_state(state.beginning) if state.beginning is not None else None)

    def _draws(self, regression: Bilinear) -> Drawn:
        """Made once for all decisions until something is learned."""
        if self._drawn is None:
            self._drawn = Drawn(regression.rows, regression.drawn(self._normal), regression.apart)
        return self._drawn

    def _bounds(self, regression: Bilinear) -> tuple[Believed, Sets]:
        if self._believed is None:
            self._believed = regression.believed(), Sets(regression.rows)
        return self._believed

    def _forget(self) -> None:
        """What was made for decisions, of weights that are no more."""
        self._drawn, self._believed = None, None


def _pairs(interactions: Interactions) -> list[Pair]:
    chosen = zip(interactions.contexts, interactions.actions, interactions.action.tolist(), strict=True)
    return [(context, of_action(offered, action)) for context, offered, action in chosen]
