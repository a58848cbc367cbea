"""What whole rankings earn: the estimators whose assumptions fit how a decision's slots were filled, with intervals.

| | filled | estimators |
|---|---|---|
| `ranking` | from the top, read from the top | joint, cascade, cascade doubly robust; independent where marginals are known |
| `slots` | one after another, in no order of reading | joint |
| `slate` | independently, each from its own actions | joint, independent, pseudo-inverse |
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import msgspec
import numpy as np

from rewardloop.evaluation.estimate import Estimate, effective_sample_size
from rewardloop.evaluation.intervals import normal
from rewardloop.evaluation.rankings.estimators import (
    RankedSample,
    cascade_dr,
    cascade_ips,
    independent_ips,
    joint_ips,
    pseudo_inverse,
)
from rewardloop.evaluation.rankings.groups import Kind, Rankings, taken
from rewardloop.evaluation.rankings.marginals import marginals
from rewardloop.evaluation.reward_models.reward_model import RewardModel
from rewardloop.evaluation.sample import sum_by_event
from rewardloop.interactions import Floats, Interactions

LOGGED = "logged"
_LEARNABLE = 10
"""Fewer rankings with a position than this teach nothing about it."""


class RankedEstimates(msgspec.Struct, frozen=True, kw_only=True):
    """Of the complete decisions of one kind; in units of reward a whole decision, the sum over its slots."""

    kind: Kind
    n: int
    """Complete decisions."""
    most_slots: int
    estimates: dict[str, dict[str, Estimate]]
    """By policy (`candidate`, `hosted`, `logged`) and estimator. `ess` is that of the mean weight of a decision's slots."""
    difference: dict[str, Estimate]
    """Candidate − hosted (− logged, where nothing is hosted) by estimator, decision by decision."""


class RankedReport(msgspec.Struct, frozen=True, kw_only=True):
    """Whole rankings, on held-out events."""

    n_incomplete: int
    """Decisions not used because a slot is not among the usable held-out events."""
    kinds: tuple[RankedEstimates, ...]


class _Scores(msgspec.Struct, frozen=True):
    """(n,) of one estimator and policy."""

    score: Floats
    weight: Floats
    baseline: Floats
    """What the same rankings earned."""


def ranked_report(
    events: Interactions, groups: list[Rankings], n_incomplete: int, pmfs: Mapping[str, Floats], *, level: float, seed: int
) -> RankedReport:
    """`pmfs` (Σ K_i,) by policy, `candidate` first: what it would put at each slot, given what was logged above it."""
    kinds = tuple(_estimates(events, each, pmfs, level, seed) for each in groups if len(each.rows) > 1)
    few = sum(len(each.rows) for each in groups if len(each.rows) < 2)
    return RankedReport(n_incomplete=n_incomplete + few, kinds=kinds)


def _estimates(events: Interactions, group: Rankings, pmfs: Mapping[str, Floats], level: float, seed: int) -> RankedEstimates:
    scores = _scores(events, group, pmfs, seed)
    found = {
        policy: {name: normal(each.score, level, effective_sample_size(each.weight)) for name, each in named.items()}
        for policy, named in scores.items()
    }
    ours = scores["candidate"]
    theirs = {name: each.score for name, each in scores["hosted"].items()} if "hosted" in scores else {}
    difference = {
        name: normal(each.score - theirs.get(name, each.baseline), level, effective_sample_size(each.weight))
        for name, each in ours.items()
    }
    earned = normal(group.laid_out(events.reward, 0.0).sum(axis=1), level)
    n, most = group.rows.shape
    estimates = {**found, LOGGED: {"mean": earned}}
    return RankedEstimates(kind=group.kind, n=n, most_slots=most, estimates=estimates, difference=difference)


def _scores(events: Interactions, group: Rankings, pmfs: Mapping[str, Floats], seed: int) -> dict[str, dict[str, _Scores]]:
    samples = {name: _sample(events, group, pmf) for name, pmf in pmfs.items()}
    scores = {name: {"joint_ips": _of(joint_ips(each), each, each.prefix_weight[:, -1:])} for name, each in samples.items()}
    if group.kind == "slate":
        for name, each in samples.items():
            scores[name]["independent_ips"] = _of(independent_ips(each), each, each.marginal_weight)
            whole = 1 + (each.marginal_weight - 1).sum(axis=1, keepdims=True)
            scores[name]["pseudo_inverse"] = _of(pseudo_inverse(each), each, whole)
    elif group.kind == "ranking":
        direct, fitted = _return_to_go(events, group, pmfs, seed)
        for name, each in samples.items():
            scores[name]["cascade_ips"] = _of(cascade_ips(each), each, each.prefix_weight)
            scores[name]["cascade_dr"] = _of(cascade_dr(each, direct[name], fitted), each, each.prefix_weight)
        for name, each in _alone(events, group, pmfs, samples).items():
            scores[name]["independent_ips"] = _of(independent_ips(each), each, each.marginal_weight)
    return scores


def _of(score: Floats, sample: RankedSample, weight: Floats) -> _Scores:
    return _Scores(score, np.asarray(weight.mean(axis=1), np.float64), np.asarray(sample.reward.sum(axis=1), np.float64))


def _sample(events: Interactions, group: Rankings, pmf: Floats) -> RankedSample:
    logged, target = group.laid_out(events.probability, 1.0), group.laid_out(pmf[events.chosen], 1.0)
    alone = (logged, target) if group.kind == "slate" else (None, None)
    return RankedSample(logged, target, group.laid_out(events.reward, 0.0), *alone)


def _alone(
    events: Interactions, group: Rankings, pmfs: Mapping[str, Floats], samples: Mapping[str, RankedSample]
) -> dict[str, RankedSample]:
    """With marginal probabilities, of the rankings where they are known; nothing where they are not."""
    found = marginals(events, group, {LOGGED: events.pmf, **pmfs})
    if found is None or len(found[0]) < 2:
        return {}
    some, alone = found
    return {
        name: RankedSample(each.logged[some], each.target[some], each.reward[some], alone[LOGGED], alone[name])
        for name, each in samples.items()
    }


def _return_to_go(events: Interactions, group: Rankings, pmfs: Mapping[str, Floats], seed: int) -> tuple[dict[str, Floats], Floats]:
    """(n, k) each: by policy the mean of, and of what was shown itself, what a position and all below earned as logged.

    A cross-fitted model a position. That it is of the logged continuation costs width, no bias.
    """
    reward = group.laid_out(events.reward, 0.0)
    ahead = reward[:, ::-1].cumsum(axis=1)[:, ::-1]
    fitted = np.zeros(reward.shape)
    direct = {name: np.zeros(reward.shape) for name in pmfs}
    for position in range(reward.shape[1]):
        there = group.rows[:, position] >= 0
        rows = group.rows[there, position]
        if len(rows) < _LEARNABLE:
            continue
        here = replace(events.take(rows), reward=ahead[there, position])
        model = RewardModel.fit(here, seed)
        q = model.predict(here, model.fold)
        fitted[there, position] = q[here.chosen]
        for name, pmf in pmfs.items():
            direct[name][there, position] = sum_by_event(taken(events, pmf, rows) * q, here.offsets)
    return direct, fitted
