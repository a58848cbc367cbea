"""The Vowpal Wabbit policy. This is the only file that imports Vowpal Wabbit.

A fresh policy is uniform; the workspace opens when the first data arrive, because they decide which features are crossed.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from math import inf
from pathlib import Path
from typing import Final, Self

import numpy as np
import pylibvw
from vowpalwabbit.pyvw import Workspace

from rewardloop.actions import ActionSet
from rewardloop.errors import CorruptModel, InvalidSettings, StorageUnavailable
from rewardloop.features import Features
from rewardloop.interactions import Floats, Interactions
from rewardloop.policies.exploration import ordered_sum
from rewardloop.policies.model_files import read_model, write_model
from rewardloop.policies.namespaces import Namespaces, Spaces
from rewardloop.policies.rewards import RewardRange
from rewardloop.policies.vw.actions import PreparedActions
from rewardloop.policies.vw.arguments import learner_arguments
from rewardloop.policies.vw.bulk import drive
from rewardloop.policies.vw.encoding import SPACES, Encoder, Lines, Pairs, Shared, label, shared_groups
from rewardloop.policies.vw.engines import Engine, NativeEngine, PublicEngine
from rewardloop.policies.vw.state import VowpalState
from rewardloop.policies.vw.statistics import Statistics, StatisticsState
from rewardloop.scratch import Scratch
from rewardloop.settings import ExperimentSettings

ENGINE: Final = "vw"
STATE: Final = "vw.json"
WEIGHTS: Final = "weights.vw"

LEARNING_FLOOR: Final = 0.5
"""Logged probabilities are raised to this for learning, and only there: mtr weighs an event by 1/p, and one lucky
exploration at p = .001 would outweigh a thousand others. Evaluation uses the probability as it was logged."""
PIECE: Final = 4_000
"""Events whose lines are handed to the driver at once; a smaller piece costs the feeding thread more waits for the interpreter."""
BULK_EVENTS: Final = 5_000
"""Fewer are learned in this process: starting the driver costs as much as learning them."""

_NATIVE_CALLS: Final = ("predict_multi", "learn_multi", "setup_example", "unsetup_example", "lContextualBandit")
_EXAMPLE_CALLS: Final = ("push_feature_list", "push_namespace", "pop_namespace", "erase_namespace", "get_action_scores")
NATIVE: Final = all(hasattr(pylibvw.vw, name) for name in _NATIVE_CALLS) and all(
    hasattr(pylibvw.example, name) for name in _EXAMPLE_CALLS
)
"""Whether this build has the undocumented calls that `NativeEngine` lives on."""


class VowpalWabbitPolicy:
    """Policy of settings.exploration over Vowpal Wabbit's weights. Keeps the laws of `Policy`; safe to share by threads."""

    def __init__(self, settings: ExperimentSettings, seed: int, statistics: Statistics, weights: Path | None = None) -> None:
        self._settings = settings
        self._seed = seed
        self._statistics = statistics
        self._lock = threading.Lock()
        self._mask = (1 << settings.policy.learner.bits) - 1
        self._contexts = Encoder(statistics.contexts, "context", self._mask)
        self._actions = Encoder(statistics.actions, "action", self._mask)
        named = settings.policy.learner.interactions
        self._namespaces = Namespaces(named) if isinstance(named, tuple) else None
        self._workspace: Workspace | None = None
        self._open(weights)

    @classmethod
    def new(cls, settings: ExperimentSettings, seed: int) -> Self:
        """Raises `InvalidSettings` for what Vowpal Wabbit would refuse."""
        trial = learner_arguments(settings, crossed=0, bits=8)
        try:
            Workspace(arg_list=trial).finish()
        except RuntimeError as error:
            raise InvalidSettings(f"Vowpal Wabbit refused the arguments: {error}", at="$.policy.learner.arguments") from None
        return cls(settings, seed, Statistics(RewardRange(settings.reward.range)))

    @property
    def n_learned(self) -> int:
        """Events learned from, replays not counted."""
        return self._statistics.n_learned

    def statistics(self) -> StatisticsState:
        """What it knows of its data besides weights."""
        with self._lock:
            return self._statistics.state()

    def pmf(self, context: Features, actions: ActionSet) -> Sequence[float]:
        with self._lock:
            if self._workspace is None:
                return [1.0 / len(actions)] * len(actions)
            scores = self._engine.predict(self._shared(context), self._prepared.get(actions))
        return distribution(scores)

    def pmf_many(self, contexts: Sequence[Features], actions: Sequence[ActionSet]) -> Floats:
        with self._lock:
            if self._workspace is None:
                return distributions([[1.0] * len(offered) for offered in actions])
            asked = zip(self._shared_many(contexts), actions, strict=True)
            scores = [self._engine.predict(shared, self._prepared.get(offered)) for shared, offered in asked]
        return distributions(scores)

    def learn(self, interactions: Interactions) -> None:
        """Statistics first, from the whole batch; then weights, event by event."""
        if len(interactions):
            with self._lock:
                self._observe(interactions)
                self._update(interactions)

    def relearn(self, interactions: Interactions) -> None:
        """Another pass over events already learned from: changes weights only. Does nothing before the first `learn`."""
        with self._lock:
            if self._workspace is not None:
                self._update(interactions)

    def learn_bulk(self, stream: Iterable[Interactions]) -> None:
        """`learn` of every batch in turn, with the same weights after, by Vowpal Wabbit's driver where there are many.

        Where it raises, the policy is spoilt: load it again.
        """
        batches = filter(len, stream)
        first: list[Interactions] = []
        while sum(map(len, first)) < BULK_EVENTS and (batch := next(batches, None)) is not None:
            first.append(batch)
        if sum(map(len, first)) < BULK_EVENTS:
            for batch in first:
                self.learn(batch)
            return
        with self._lock:
            self._drive(chain(first, batches))

    def save(self, directory: Path) -> None:
        with self._lock:
            weights = self._write_weights(directory / WEIGHTS)
            state = VowpalState.of(self._settings, self._seed, self._statistics.state())
            write_model(directory, ENGINE, {STATE: state.encoded(), WEIGHTS: weights})
            if self._workspace is not None and _forgetful(self._settings):
                self._open(directory / WEIGHTS)

    @classmethod
    def load(cls, directory: Path) -> Self:
        raw, weights = read_model(directory, ENGINE, (STATE, WEIGHTS))
        state = VowpalState.decoded(raw, at=str(directory / STATE))
        path = directory / WEIGHTS if weights else None
        try:
            return cls(state.experiment_settings(), state.seed, Statistics.from_state(state.statistics), path)
        except (RuntimeError, InvalidSettings) as error:
            raise CorruptModel(f"Vowpal Wabbit refused the model: {error}", at=str(directory)) from None

    def _open(self, weights: Path | None) -> None:
        if self._statistics.crossed is None:
            return
        # Never `-t`: it changes confidence-based distributions. The model holds the state of the generator; a seed would clash.
        start = ["--random_seed", str(self._seed)] if weights is None else ["-i", str(weights)]
        self._workspace = workspace = Workspace(arg_list=[*self._arguments(), *start])
        spaces = self._namespaces.spaces if self._namespaces is not None else Spaces()
        offsets = {space: workspace.hash_space(chr(space)) for space in (*SPACES, *spaces.context, *spaces.action)}
        self._engine: Engine = _engine(workspace, Lines(offsets, self._mask), spaces)
        self._prepared = PreparedActions(self._engine, self._actions, self._namespaces)

    def _arguments(self) -> list[str]:
        return learner_arguments(self._settings, self._statistics.crossed or 0)

    def _observe(self, interactions: Interactions) -> None:
        self._statistics.observe(interactions, self._settings)
        self._contexts.forget_scales()
        self._actions.forget_scales()
        if self._workspace is None:
            self._open(None)
        self._prepared.forget_scales()

    def _shared(self, context: Features) -> Shared:
        if self._namespaces is not None:
            return shared_groups(self._contexts, context, self._namespaces)
        return self._split(self._contexts.pairs(context))

    def _shared_many(self, contexts: Sequence[Features]) -> Iterable[Shared]:
        if self._namespaces is not None:
            return map(self._shared, contexts)
        return map(self._split, self._contexts.pairs_many(contexts))

    def _split(self, pairs: Pairs) -> Shared:
        crossed = self._statistics.crossed
        return Shared(pairs[:crossed], pairs[crossed:]) if crossed and len(pairs) > crossed else Shared(pairs, [])

    def _update(self, interactions: Interactions) -> None:
        events = zip(interactions.contexts, interactions.actions, self._labels(interactions), strict=True)
        for context, actions, (chosen, cost, probability) in events:
            self._engine.learn(self._shared(context), self._prepared.get(actions), chosen, cost, probability)

    def _labels(self, interactions: Interactions) -> Iterator[tuple[int, float, float]]:
        costs = self._statistics.rewards.to_cost(interactions.reward).tolist()
        probabilities = np.maximum(interactions.probability, LEARNING_FLOOR).tolist()
        return zip(interactions.action.tolist(), costs, probabilities, strict=True)

    def _drive(self, batches: Iterator[Interactions]) -> None:
        pieces = self._pieces(batches)
        first = list(islice(pieces, 1))
        with Scratch() as place:
            initial, final = place / "initial.vw", place / "final.vw"
            self._write_weights(initial)
            drive(self._arguments(), chain(first, pieces), initial, final)
            self._open(final)

    def _pieces(self, batches: Iterator[Interactions]) -> Iterator[bytes]:
        for batch in batches:
            self._observe(batch)
            actions = self._prepared.text
            events = zip(self._labels(batch), self._shared_parts(batch.contexts), batch.actions, strict=True)
            made = (b"{" + label(*truth) + b'"s":' + shared + actions(offered) for truth, shared, offered in events)
            while piece := b"".join(islice(made, PIECE)):
                yield piece

    def _shared_parts(self, contexts: Sequence[Features]) -> Iterator[bytes]:
        lines = self._engine.lines
        columns = self._contexts.columns(contexts) if self._namespaces is None else None
        if columns is not None and not 0 < (self._statistics.crossed or 0) < len(columns[0]) and (plain := lines.plain(columns)):
            return plain
        return (lines.shared(self._shared(context)) for context in contexts)

    def _write_weights(self, path: Path) -> bytes:
        return weights_of(self._workspace, path) if self._workspace is not None else b""


def open_workspace(arguments: list[str]) -> Workspace:
    """Raises `RuntimeError` for what Vowpal Wabbit refuses."""
    return Workspace(arg_list=arguments)


def weights_of(workspace: Workspace, path: Path) -> bytes:
    """Its file, written there. Raises `StorageUnavailable`."""
    try:
        workspace.save(str(path))
    except RuntimeError as error:
        raise StorageUnavailable(f"The weights could not be written: {error}", at=str(path)) from None
    return path.read_bytes()


def _engine(workspace: Workspace, lines: Lines, spaces: Spaces) -> Engine:
    if not NATIVE:
        return PublicEngine(workspace, lines)
    kind = pylibvw.vw.lContextualBandit
    return NativeEngine(workspace, lines, lambda: pylibvw.example(workspace, kind), kind, spaces)


def _forgetful(settings: ExperimentSettings) -> bool:
    """Whether Vowpal Wabbit's file lacks some of what several learners remember (weights are whole, step sizes are not).

    Such a policy continues from its own file, so that memory and file go on alike.
    """
    return settings.exploration in ("bag", "cover", "rnd", "automl", "epsilon_decay") or settings.policy.learner.cb_type == "dr"


def distribution(scores: list[float]) -> list[float]:
    """Vowpal Wabbit's answer as a distribution: negative is 0, the sum is 1, and what cannot be saved is uniform.

    A fresh regcb answers [1, 1, …], squarecb --elim sometimes [−5, 1, …], weights gone astray NaN.

    >>> distribution([-5.0, 1.0, 1.0]), distribution([float("nan"), 1.0])
    ([0.0, 0.5, 0.5], [0.5, 0.5])
    """
    if min(scores) < 0.0:
        scores = [max(0.0, score) for score in scores]
    total = ordered_sum(scores)
    if not 0.0 < total < inf:
        return [1.0 / len(scores)] * len(scores)
    return scores if total == 1.0 else [score / total for score in scores]


def distributions(scores: Sequence[list[float]]) -> Floats:
    """`distribution` of each, to the bit, one behind the other.

    >>> distributions([[1.0, 3.0], [-5.0, 1.0]])
    array([0.25, 0.75, 0.  , 1.  ])
    """
    if len(set(map(len, scores))) != 1:
        return np.array([p for row in scores for p in distribution(row)], dtype=np.float64)
    rows = np.array(scores, dtype=np.float64)
    with np.errstate(all="ignore"):
        totals = rows.cumsum(axis=1)[:, -1]
        pmf: Floats = rows / totals[:, None]
    plain = (rows >= 0.0).all(axis=1) & (totals > 0.0) & (totals < inf)
    for row in np.flatnonzero(~plain).tolist():
        pmf[row] = distribution(scores[row])
    return pmf.ravel()
