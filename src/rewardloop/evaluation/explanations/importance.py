"""What each feature is worth to a policy: how much less it would earn if it saw that feature of another event instead.

Permutation importance (Breiman 2001, §10; Fisher, Rudin & Dominici 2019), of the policy's value instead of a prediction error:
the loss is V(π) − V(π that sees feature j shuffled), doubly robust and paired on held-out events, so that it has an interval.
Shuffled over events for a feature of the context, over the actions on offer for one of the actions.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from rewardloop.actions import ActionSet
from rewardloop.errors import InvalidInput
from rewardloop.evaluation.estimate import Estimate, effective_sample_size
from rewardloop.evaluation.estimators.estimators import dr
from rewardloop.evaluation.explanations.altered import borrowed_many, with_features
from rewardloop.evaluation.explanations.feature_groups import By, Group, Source, feature_groups
from rewardloop.evaluation.intervals import normal
from rewardloop.evaluation.reward_models.reward_model import fit_predict
from rewardloop.evaluation.sample import sample, sum_by_event
from rewardloop.evaluation.screening import screen
from rewardloop.features import Features
from rewardloop.interactions import Floats, Interactions

Serve = Callable[[Sequence[Features], Sequence[ActionSet]], Floats]
"""Contexts and offered actions to the flat distributions (Σ K_i,) that would be served."""

MAX_GROUPS = 50
"""Looked at: those that vary on most events."""
MAX_OFFERED = 100_000
"""Actions offered over all events that are looked at: the oldest events give way."""
REPEATS = 2
"""Shuffles a feature; their mean is taken."""
_ROUNDING = 1e-6


class FeatureImportance(msgspec.Struct, frozen=True):
    """One feature, or group of features."""

    name: str
    of: Source
    n_features: int
    loss: Estimate
    """Mean reward lost without it; negative: the policy would do better without."""
    changed: float
    """Share of the decisions that would be others without it (total variation)."""

    @property
    def matters(self) -> bool:
        """Whether the loss is shown to be above 0, and is no rounding of a policy that does not look at it."""
        return self.loss.lower > 0 and self.changed > _ROUNDING


class Importance(msgspec.Struct, frozen=True, kw_only=True):
    """Every feature's worth to one policy on the same held-out events, the largest loss first."""

    value: Estimate
    """What the policy earns with all its features."""
    features: tuple[FeatureImportance, ...]
    n_constant: int
    """Features (or groups) left out because they never vary: no policy can lose by them."""
    n_beyond: int
    """Left out because 50 vary more."""
    excluded: dict[str, int]
    """Events not used, by reason."""


class _Policy(NamedTuple):
    """Seen on one log: what it serves, and the score of each event."""

    serve: Serve
    log: Interactions
    q: Floats
    pmf: Floats
    scores: Floats


def importance(log: Interactions, serve: Serve, *, level: float, seed: int, by: By = "group") -> Importance:
    """The worth of every feature of the policy behind `serve`, on a log with at least two usable events.

    `by` group takes `device.os` and `device.age`, or `scores[0]` and `scores[1]`, away together. Cost: at most 100 evaluations of
    the policy an event. The same log and seed give the same bits. Raises `InvalidInput` where too few events can be used.
    """
    usable, excluded = screen(log)
    log = _bounded(log.take(usable))
    if len(log) < 2:
        raise InvalidInput(f"Expected at least two held-out events to evaluate on, got {len(log)}", at="interactions")
    policy = _seen(log, serve, seed)
    groups = feature_groups(log, by)
    varying = [group for group in groups if group.varied > 0]
    found = [_importance(policy, group, level, seed) for group in varying[:MAX_GROUPS]]
    return Importance(
        value=normal(policy.scores, level, _ess(policy)),
        features=tuple(sorted(found, key=lambda feature: -feature.loss.value)),
        n_constant=len(groups) - len(varying),
        n_beyond=max(0, len(varying) - MAX_GROUPS),
        excluded=excluded,
    )


def _bounded(log: Interactions) -> Interactions:
    """The newest events, as many as offer 100,000 actions together."""
    kept = log.offsets[-1] - log.offsets[:-1] <= MAX_OFFERED
    return log if kept.all() else log.take(kept)


def _seen(log: Interactions, serve: Serve, seed: int) -> _Policy:
    q, pmf = fit_predict(log, seed), serve(log.contexts, log.actions)
    return _Policy(serve, log, q, pmf, dr(sample(log, pmf, q)))


def _ess(policy: _Policy) -> float:
    return effective_sample_size(policy.pmf[policy.log.chosen] / policy.log.probability)


def _importance(policy: _Policy, group: Group, level: float, seed: int) -> FeatureImportance:
    generator = np.random.default_rng([seed & (1 << 63) - 1, zlib.crc32(f"{group.of} {group.name}".encode())])
    log, lost, changed = policy.log, np.zeros(len(policy.log)), 0.0
    for _ in range(REPEATS):
        pmf = _without(policy, group, generator)
        lost += (policy.scores - dr(sample(log, pmf, policy.q))) / REPEATS
        changed += float(sum_by_event(np.abs(pmf - policy.pmf), log.offsets).mean()) / (2 * REPEATS)
    loss = normal(lost, level, _ess(policy))
    return FeatureImportance(group.name, group.of, len(group.features), loss, changed)


def _without(policy: _Policy, group: Group, generator: np.random.Generator) -> Floats:
    """What is served where the group is shuffled; only events that look different afterwards are evaluated again."""
    log = policy.log
    contexts, actions = log.contexts, log.actions
    if group.of == "context":
        contexts = borrowed_many(contexts, group.features, generator.permutation(len(log)))
    else:
        actions = [_shuffled(offered, group.features, generator) for offered in actions]
    differs = np.array(
        [c != d or a is not b for c, d, a, b in zip(contexts, log.contexts, actions, log.actions, strict=True)], dtype=bool
    )
    pmf = policy.pmf.copy()
    if differs.any():
        rows = np.flatnonzero(differs).tolist()
        pmf[np.repeat(differs, np.diff(log.offsets))] = policy.serve([contexts[i] for i in rows], [actions[i] for i in rows])
    return pmf


def _shuffled(offered: ActionSet, names: frozenset[str], generator: np.random.Generator) -> ActionSet:
    if offered.features is None:
        return offered
    features = borrowed_many(offered.features, names, generator.permutation(len(offered)))
    return offered if features == list(offered.features) else with_features(offered, features)
