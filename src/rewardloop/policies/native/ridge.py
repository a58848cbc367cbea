"""The native engine: linear Thompson sampling and LinUCB over fixed arms. The arithmetic is in `regressions`."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from pathlib import Path
from typing import Final, Self

import numpy as np

from rewardloop.actions import ActionSet
from rewardloop.errors import InvalidInput, InvalidSettings
from rewardloop.events import MAX_ACTIONS
from rewardloop.features import Features
from rewardloop.interactions import Floats, Interactions, Ints
from rewardloop.policies.contract import one_by_one
from rewardloop.policies.native.posterior import Rule, Thompson, UpperConfidence
from rewardloop.policies.regressions.linear import Batch, Linear
from rewardloop.policies.regressions.ridge_files import LinearConfig, RidgeState, load_ridge, save_ridge
from rewardloop.policies.rewards import require_finite
from rewardloop.settings import ExperimentSettings

SETTLED: Final = 50
"""Events on which scales, columns and degree may rest; up to then everything is fitted again from all of them."""
_CELLS = 1 << 20


class RidgePolicy:
    """Disjoint ridge regressions, with terms of degree 2 where columns are few; `alpha` is Thompson's v or LinUCB's a.

    Uniform until it has learned something. An arm it has never heard of gets 1/K and the others share the rest; one that it
    learns from becomes its own. Features of actions are not looked at. O(K d²) a decision and O(d²) to learn an event, d at
    most 256 by default. Li, Chu, Langford & Schapire (2010), algorithm 1; Agrawal & Goyal (2013), algorithm 1.
    """

    gains_by_batches: Final = True

    def __init__(self, config: LinearConfig, ids: Sequence[str], regression: Linear, head: Batch | None, n_learned: int) -> None:
        self._config = config
        self._regression = regression
        self._head = head
        self._n_learned = n_learned
        self._name_arms(tuple(ids))

    @classmethod
    def new(cls, settings: ExperimentSettings, seed: int) -> Self:
        """Raises `InvalidSettings` where the arms are not fixed, or the exploration is not this engine's."""
        ids, rule = settings.action_ids, settings.exploration
        if rule not in ("lints", "linucb"):
            raise InvalidSettings(f"Expected `lints` or `linucb`, got `{rule}`", at="$.policy.exploration")
        if ids is None:
            raise InvalidSettings(f"Expected fixed actions for `{rule}`, got none; name them or use `regcbopt`", at="$.actions")
        learner, rewards = settings.policy.learner, settings.reward.range
        named = learner.interactions if isinstance(learner.interactions, tuple) else ()
        config = LinearConfig(rule, settings.policy.alpha, seed, learner.max_columns, rewards, learner.forgetting, named)
        return cls(config, ids, _blank(config, len(ids)), Batch.of([]), 0)

    @property
    def n_restarts(self) -> int:
        """How often the past was forgotten because the recent past predicted better."""
        return self._regression.n_restarts

    @property
    def n_since_change(self) -> int | None:
        """Events learned since the world changed, by and large; None where it has not."""
        return self._regression.n_since_change

    def pmf(self, context: Features, actions: ActionSet) -> Sequence[float]:
        if actions.ids != self._ids:
            return self._pmf_of_others(context, actions.ids)
        if not self._n_learned:
            return self._uniform
        return self._rule.pmf(*self._regression.posterior(context))

    def pmf_many(self, contexts: Sequence[Features], actions: Sequence[ActionSet]) -> Floats:
        distinct = {id(offered): offered for offered in actions}.values()
        own = self._n_learned and all(offered.ids == self._ids for offered in distinct)
        if not own:
            return one_by_one(self, contexts, actions)
        step = max(1, _CELLS // (len(self._ids) * self._regression.width))
        parts = [self._pmf_part(contexts[start : start + step]) for start in range(0, len(contexts), step)]
        return np.concatenate([np.empty(0), *parts])

    def learn(self, interactions: Interactions) -> None:
        """Raises `InvalidInput`, with nothing learned, for a reward that is not finite."""
        if not len(interactions):
            return
        batch = self._checked(interactions)
        self._n_learned += len(batch.arms)
        if self._head is not None:
            batch = self._head.then(batch)
            self._head = batch if len(batch.arms) < SETTLED else None
            self._regression = _blank(self._config, len(self._ids))
        self._regression.learn(batch)

    def save(self, directory: Path) -> None:
        state = RidgeState(self._config, self._ids, self._n_learned, self._regression.state(), self._head and self._head.events())
        save_ridge(directory, state, self._regression.past)

    @classmethod
    def load(cls, directory: Path) -> Self:
        state, past = load_ridge(directory)
        regression = Linear.from_state(state.regression, past, state.config.forgetting)
        head = None if state.head is None else Batch.of(state.head)
        return cls(state.config, state.ids, regression, head, state.n_learned)

    def _name_arms(self, ids: tuple[str, ...]) -> None:
        self._ids, config = ids, self._config
        self._index = {action: arm for arm, action in enumerate(ids)}
        self._uniform = [1.0 / len(ids)] * len(ids)
        thompson = config.rule == "lints"
        self._rule: Rule = Thompson(config.alpha, config.seed, len(ids)) if thompson else UpperConfidence(config.alpha)

    def _checked(self, interactions: Interactions) -> Batch:
        require_finite(interactions.reward)
        return Batch(interactions.contexts, self._arms(interactions), interactions.reward)

    def _arms(self, interactions: Interactions) -> Ints:
        """(n,) the chosen arms; makes room for those it has never heard of."""
        chosen = [offered.ids[a] for offered, a in zip(interactions.actions, interactions.action.tolist(), strict=True)]
        new = tuple(dict.fromkeys(action for action in chosen if action not in self._index))
        if len(self._ids) + len(new) > MAX_ACTIONS:
            raise InvalidInput(f"Expected at most {MAX_ACTIONS} actions, got {len(self._ids) + len(new)}")
        if new:
            self._name_arms(self._ids + new)
            self._regression.add_arms(len(new))
        return np.array([self._index[action] for action in chosen], dtype=np.int64)

    def _pmf_part(self, contexts: Sequence[Features]) -> Floats:
        return self._rule.pmf_many(*self._regression.posterior_many(contexts)).ravel()

    def _pmf_of_others(self, context: Features, offered: tuple[str, ...]) -> Sequence[float]:
        """The arms it knows compete among themselves; each other one has 1/K."""
        known = [self._index[action] for action in offered if action in self._index]
        if not known or not self._n_learned:
            return [1.0 / len(offered)] * len(offered)
        mean, sd = self._regression.posterior(context)
        present = set(known)
        pmf = self._rule.pmf([m if arm in present else -inf for arm, m in enumerate(mean)], sd)
        share = len(known) / len(offered)
        return [share * pmf[self._index[a]] if a in self._index else 1.0 / len(offered) for a in offered]


def _blank(config: LinearConfig, n_arms: int) -> Linear:
    return Linear.new(n_arms, config.max_columns, config.range, config.forgetting, config.interactions)
