"""Neural-linear Thompson sampling over fixed arms: a hidden layer trained now and then under the native ridge regressions."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Self

import numpy as np

from rewardloop.errors import InvalidSettings
from rewardloop.interactions import Interactions
from rewardloop.policies.native.ridge import SETTLED, RidgePolicy
from rewardloop.policies.regressions.deep import Deep, n_hidden
from rewardloop.policies.regressions.linear import Batch, Event
from rewardloop.policies.regressions.ridge_files import LinearConfig, RidgeState
from rewardloop.policies.regressions.trunk_files import load_deep, save_deep
from rewardloop.settings import ExperimentSettings

FIRST: Final = 100
"""Events before the layer is trained; until then the policy is `lints`."""
WINDOW: Final = 10_000
"""The newest events, which are kept to train on: the bound of memory, and what a world that changes is forgotten by."""


class NeuralPolicy(RidgePolicy):
    """Like `lints`, with 64 hidden units among the columns of each context (neural-linear: Riquelme, Tucker & Snoek, 2018).

    After 100 events, then each time it has learned half as many more, every 5,000 at the latest, the layer is trained anew on
    the newest 10,000 and the posterior computed from those. In between the posterior learns each event and the layer rests. A
    training is a function of those events, their count and the seed, so however events come in batches, it is the same.
    """

    def __init__(self, config: LinearConfig, ids: Sequence[str], regression: Deep, events: Sequence[Event], n_learned: int):
        super().__init__(config, ids, regression, None, n_learned)
        self._deep = regression
        self._events = deque(events, maxlen=WINDOW)

    @classmethod
    def new(cls, settings: ExperimentSettings, seed: int) -> Self:
        """Raises `InvalidSettings` where the arms are not fixed, or the exploration is not this engine's."""
        ids, rule, learner = settings.action_ids, settings.exploration, settings.policy.learner
        if rule != "neural":
            raise InvalidSettings(f"Expected `neural`, got `{rule}`", at="$.policy.exploration")
        if ids is None:
            raise InvalidSettings("Expected fixed actions for `neural`, got none; name them or use `regcbopt`", at="$.actions")
        named = learner.interactions if isinstance(learner.interactions, tuple) else ()
        units = n_hidden(len(ids))
        config = LinearConfig(
            "lints", settings.policy.alpha, seed, learner.max_columns, settings.reward.range, "none", named, n_hidden=units
        )
        return cls(config, ids, Deep.blank(config, len(ids)), (), 0)

    def learn(self, interactions: Interactions) -> None:
        """Raises `InvalidInput`, with nothing learned, for a reward that is not finite."""
        if not len(interactions):
            return
        batch = self._checked(interactions)
        before, self._n_learned = self._n_learned, self._n_learned + len(batch.arms)
        due = last_training(self._n_learned)
        if due > last_training(before):
            self._remember(_part(batch, 0, due - before))
            self._train(due)
            batch = _part(batch, due - before, len(batch.arms))
        self._remember(batch)
        if self._n_learned <= SETTLED:
            self._rest_on(Deep.blank(self._config, len(self._ids)))
            batch = Batch.of(self._events)
        if len(batch.arms):
            self._deep.learn(batch)

    def save(self, directory: Path) -> None:
        state = RidgeState(self._config, self._ids, self._n_learned, self._deep.state(), list(self._events))
        save_deep(directory, state, self._deep.past, self._deep.trunk)

    @classmethod
    def load(cls, directory: Path) -> Self:
        state, past, trunk = load_deep(directory)
        deep = Deep.restored(state.regression, past, state.config, trunk)
        return cls(state.config, state.ids, deep, state.head or (), state.n_learned)

    def _remember(self, batch: Batch) -> None:
        self._events.extend(batch.events())

    def _train(self, n: int) -> None:
        rng = np.random.default_rng([self._config.seed, n])
        self._rest_on(Deep.trained(self._config, len(self._ids), Batch.of(self._events), rng))

    def _rest_on(self, regression: Deep) -> None:
        self._deep = self._regression = regression


def last_training(n: int) -> int:
    """After how many events the layer was trained last, when n have been learned; 0: not yet.

    >>> [last_training(n) for n in (99, 100, 149, 150, 30_000)]
    [0, 100, 100, 150, 27921]
    """
    last, due = 0, FIRST
    while due <= n:
        last, due = due, due + min(due // 2, WINDOW // 2)
    return last


def _part(batch: Batch, start: int, stop: int) -> Batch:
    return Batch(batch.contexts[start:stop], batch.arms[start:stop], batch.rewards[start:stop])
