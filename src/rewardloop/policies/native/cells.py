"""Linear Thompson sampling and LinUCB over a continuous action: a distribution over the cells of its range."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final, Self

import numpy as np

from rewardloop.actions import ActionSet
from rewardloop.cells import Cells
from rewardloop.errors import InvalidInput, InvalidSettings
from rewardloop.features import Features
from rewardloop.interactions import Floats, Interactions
from rewardloop.policies.contract import one_by_one
from rewardloop.policies.native.posterior import UpperConfidence
from rewardloop.policies.native.ridge import SETTLED
from rewardloop.policies.regressions.linear import Batch
from rewardloop.policies.regressions.ridge_files import LinearConfig, RidgeState, load_ridge, save_ridge
from rewardloop.policies.regressions.surface import Curve, Surface, factors
from rewardloop.policies.rewards import require_finite
from rewardloop.settings import ExperimentSettings

ENGINE: Final = "cells"
N_DRAWS: Final = 64
_JITTER: Final = 1e-9


class CellsPolicy:
    """One ridge regression over context × smooth features of the cells, so that what was learned in one tells of its neighbours.

    Thompson: the share of 64 fixed draws of the whole curve of which a cell is the top; LinUCB: all on the highest upper bound.
    Uniform until it has learned something. O((d·m)²) a decision and an event, d columns of the context, m = 13.
    """

    def __init__(self, config: LinearConfig, n_cells: int, surface: Surface, head: Batch | None, n_learned: int) -> None:
        self._config = config
        self._n_cells = n_cells
        self._ids = Cells(0.0, 1.0, n_cells).ids
        self._surface = surface
        self._head = head
        self._n_learned = n_learned
        half = np.random.default_rng(config.seed).standard_normal((N_DRAWS // 2, config.n_factors))
        self._draws = config.alpha * np.concatenate([half, -half])
        self._bound = UpperConfidence(config.alpha)

    @classmethod
    def new(cls, settings: ExperimentSettings, seed: int) -> Self:
        """Raises `InvalidSettings` where the actions are not continuous with cells, or the exploration is not this engine's."""
        cells, rule, learner = settings.cells, settings.exploration, settings.policy.learner
        if cells is None:
            raise InvalidSettings("Expected continuous actions with `cells`, got others", at="$.actions")
        if rule not in ("lints", "linucb"):
            raise InvalidSettings(f"Expected `lints` or `linucb`, got `{rule}`", at="$.policy.exploration")
        named = learner.interactions if isinstance(learner.interactions, tuple) else ()
        F, rewards = factors(cells.n), settings.reward.range
        config = LinearConfig(
            rule, settings.policy.alpha, seed, learner.max_columns, rewards, learner.forgetting, named, n_factors=F.shape[1]
        )
        return cls(config, cells.n, Surface.blank(config, F), Batch.of([]), 0)

    @property
    def n_restarts(self) -> int:
        """How often the past was forgotten because the recent past predicted better."""
        return self._surface.n_restarts

    @property
    def n_since_change(self) -> int | None:
        """Events learned since the world changed, by and large; None where it has not."""
        return self._surface.n_since_change

    def pmf(self, context: Features, actions: ActionSet) -> Sequence[float]:
        self._check(actions)
        if not self._n_learned:
            return [1.0 / self._n_cells] * self._n_cells
        curve = self._surface.curve(context)
        return self._thompson(curve) if self._config.rule == "lints" else self._upper(curve)

    def pmf_many(self, contexts: Sequence[Features], actions: Sequence[ActionSet]) -> Floats:
        return one_by_one(self, contexts, actions)

    def learn(self, interactions: Interactions) -> None:
        """Raises `InvalidInput`, with nothing learned, for a reward that is not finite."""
        if not len(interactions):
            return
        require_finite(interactions.reward)
        for offered in {id(offered): offered for offered in interactions.actions}.values():
            self._check(offered)
        batch = Batch(interactions.contexts, interactions.action, interactions.reward)
        self._n_learned += len(batch.arms)
        if self._head is not None:
            batch = self._head.then(batch)
            self._head = batch if len(batch.arms) < SETTLED else None
            self._surface = Surface.blank(self._config, self._surface.F)
        self._surface.learn(batch)

    def save(self, directory: Path) -> None:
        head = self._head and self._head.events()
        state = RidgeState(self._config, self._ids, self._n_learned, self._surface.state(), head)
        save_ridge(directory, state, self._surface.past, ENGINE)

    @classmethod
    def load(cls, directory: Path) -> Self:
        state, past = load_ridge(directory, ENGINE)
        config, n_cells = state.config, len(state.ids)
        surface = Surface.restored(state.regression, past, config.forgetting, factors(n_cells))
        head = None if state.head is None else Batch.of(state.head)
        return cls(config, n_cells, surface, head, state.n_learned)

    def _thompson(self, curve: Curve) -> Sequence[float]:
        jitter = _JITTER * (1.0 + float(np.trace(curve.covariance)))
        root = np.linalg.cholesky(curve.covariance + jitter * np.eye(len(curve.mean)))
        winners = ((curve.mean + self._draws @ root.T) @ self._surface.F.T).argmax(axis=1)
        return [n / N_DRAWS for n in np.bincount(winners, minlength=self._n_cells).tolist()]

    def _upper(self, curve: Curve) -> Sequence[float]:
        F = self._surface.F
        variance = np.einsum("kb,bc,kc->k", F, curve.covariance, F)
        return self._bound.pmf((F @ curve.mean).tolist(), np.sqrt(np.maximum(variance, 0.0)).tolist())

    def _check(self, actions: ActionSet) -> None:
        if actions.ids != self._ids:
            raise InvalidInput(f"Expected the {self._n_cells} cells of the range, got {len(actions)} other actions", at="$.actions")
