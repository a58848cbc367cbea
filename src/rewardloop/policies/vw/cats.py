"""Vowpal Wabbit's CATS over a continuous action: its density is constant in cells, so it is a distribution over them, exactly.

Knows no value and draws none: the platform draws a cell, then a value in it, as for every policy of continuous actions.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, Self

import numpy as np

from rewardloop.actions import ActionSet
from rewardloop.cells import Cells
from rewardloop.errors import CorruptModel, InvalidInput, InvalidSettings
from rewardloop.features import Features
from rewardloop.interactions import Floats, Interactions
from rewardloop.policies.contract import one_by_one
from rewardloop.policies.model_files import read_model, write_model
from rewardloop.policies.rewards import RewardRange, require_finite
from rewardloop.policies.vw.arguments import cats_arguments
from rewardloop.policies.vw.encoding import Encoder, binned
from rewardloop.policies.vw.engines import Workspace
from rewardloop.policies.vw.policy import STATE, WEIGHTS, distribution, open_workspace, weights_of
from rewardloop.policies.vw.state import VowpalState
from rewardloop.policies.vw.statistics import Statistics
from rewardloop.settings import ExperimentSettings

ENGINE: Final = "cats"
_CROSSED: Final = 20
"""Contexts of more features than these are not crossed with themselves, unless the settings insist."""


class CatsPolicy:
    """Continuous actions with tree and smoothing (Majzoubi et al., 2020): a tree of classifiers over the cells chooses one; it and
    `policy.bandwidth` cells on either side share 1 − `policy.epsilon`, all cells the rest.

    The bandwidth is half a cell wider than the whole ones, so that the density changes at borders of cells and nowhere else.
    A number comes to the tree as a word, two to a standard deviation, few features in pairs besides: its classifiers are linear. It
    learns by how much worse than the mean so far a reward was. Safe to share by threads.
    """

    def __init__(self, settings: ExperimentSettings, seed: int, statistics: Statistics, weights: Path | None = None) -> None:
        assert settings.cells is not None
        self._settings, self._seed, self._statistics = settings, seed, statistics
        # Any range will do for what is learned; in units of a cell its borders are whole numbers.
        self._n = settings.cells.n
        self._ids = Cells(0.0, float(self._n), self._n).ids
        self._lock = threading.Lock()
        self._mask = (1 << settings.policy.learner.bits) - 1
        self._encoder = Encoder(statistics.contexts, "context", self._mask)
        self._workspace: Workspace = None
        self._open(weights)

    @classmethod
    def new(cls, settings: ExperimentSettings, seed: int) -> Self:
        """Raises `InvalidSettings` where the actions are not continuous with cells, or for what Vowpal Wabbit would refuse."""
        if settings.cells is None:
            raise InvalidSettings("Expected continuous actions with `cells`, got others", at="$.actions")
        try:
            return cls(settings, seed, Statistics(RewardRange(settings.reward.range)))
        except RuntimeError as error:
            raise InvalidSettings(f"Vowpal Wabbit refused the arguments: {error}", at="$.policy.learner.arguments") from None

    def pmf(self, context: Features, actions: ActionSet) -> Sequence[float]:
        self._check(actions)
        if not self._statistics.n_learned:
            return [1.0 / self._n] * self._n
        with self._lock:
            segments: list[tuple[float, float, float]] = self._workspace.predict(self._text(context))
        return distribution(list(_over_cells(segments, self._n)))

    def pmf_many(self, contexts: Sequence[Features], actions: Sequence[ActionSet]) -> Floats:
        return one_by_one(self, contexts, actions)

    def learn(self, interactions: Interactions) -> None:
        """Raises `InvalidInput`, with nothing learned, for a reward that is not finite."""
        if not len(interactions):
            return
        require_finite(interactions.reward)
        for offered in {id(offered): offered for offered in interactions.actions}.values():
            self._check(offered)
        with self._lock:
            self._statistics.contexts.update(interactions.contexts)
            self._statistics.rewards.update(interactions.reward)
            self._statistics.average(interactions.reward)
            self._statistics.n_learned += len(interactions)
            self._encoder.forget_scales()
            self._update(interactions)

    def relearn(self, interactions: Interactions) -> None:
        """Another pass over events already learned from: changes weights only. Does nothing before the first `learn`."""
        if self._statistics.n_learned:
            with self._lock:
                self._update(interactions)

    def save(self, directory: Path) -> None:
        with self._lock:
            weights = weights_of(self._workspace, directory / WEIGHTS)
            state = VowpalState.of(self._settings, self._seed, self._statistics.state())
            write_model(directory, ENGINE, {STATE: state.encoded(), WEIGHTS: weights})
            self._open(directory / WEIGHTS)  # Its file lacks some of what it remembers: memory and file are to go on alike.

    @classmethod
    def load(cls, directory: Path) -> Self:
        raw, _ = read_model(directory, ENGINE, (STATE, WEIGHTS))
        state = VowpalState.decoded(raw, at=str(directory / STATE))
        try:
            settings = state.experiment_settings()
            if settings.cells is None:
                raise InvalidSettings("Expected continuous actions with `cells`, got others", at="$.actions")
            return cls(settings, state.seed, Statistics.from_state(state.statistics), directory / WEIGHTS)
        except (RuntimeError, InvalidSettings) as error:
            raise CorruptModel(f"Vowpal Wabbit refused the model: {error}", at=str(directory)) from None

    def _open(self, weights: Path | None) -> None:
        start = ["--random_seed", str(self._seed)] if weights is None else ["-i", str(weights)]
        self._workspace = open_workspace([*cats_arguments(self._settings, self._n), *start])

    def _update(self, interactions: Interactions) -> None:
        # The tree takes every cell that was not drawn to cost 0: costs of which most are above that say little but "not this one".
        (usual,), costs = self._costs(np.array([self._statistics.usual[1]])), self._costs(interactions.reward)
        chosen, probabilities = interactions.action.tolist(), interactions.probability.tolist()
        for context, cell, cost, p in zip(interactions.contexts, chosen, costs, probabilities, strict=True):
            self._workspace.learn(f"ca {cell + 0.5}:{cost - usual!r}:{p!r} {self._text(context)}")

    def _costs(self, rewards: Floats) -> list[float]:
        costs: list[float] = self._statistics.rewards.to_cost(rewards).tolist()
        return costs

    def _text(self, context: Features) -> str:
        pairs = self._encoder.pairs(context)
        crossed = len(pairs) <= _CROSSED or self._settings.policy.learner.interactions == "quadratic"
        return binned(pairs, self._mask, "c" if crossed else "x")

    def _check(self, actions: ActionSet) -> None:
        if actions.ids != self._ids:
            raise InvalidInput(f"Expected the {self._n} cells of the range, got {len(actions)} other actions", at="$.actions")


def _over_cells(segments: Sequence[tuple[float, float, float]], n: int) -> Iterator[float]:
    """(n,) densities over cells of width 1; their borders are where it changes."""
    densities = iter(segments)
    _, right, density = next(densities)
    for cell in range(n):
        while right < cell + 0.5:
            _, right, density = next(densities)
        yield density
