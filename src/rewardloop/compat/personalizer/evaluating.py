"""What an evaluation finds: each policy's sums on the held-out events of a period. Reads a data set, writes nothing."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from msgspec.structs import replace

from rewardloop.compat.personalizer.administration import Policy, with_policy
from rewardloop.compat.personalizer.jobs import BASELINE, ONLINE, RANDOM, Job, PolicyResult, Source
from rewardloop.compat.personalizer.policies import parse_policy, render_policy
from rewardloop.compat.personalizer.statistics import Bucket, added, bucketed, snips, total
from rewardloop.errors import Conflict
from rewardloop.interactions import Floats, Interactions
from rewardloop.lake import DataSet
from rewardloop.learning.imitation import decided_by_models
from rewardloop.learning.training import train
from rewardloop.policies.contract import Policy as Served
from rewardloop.policies.exploration import serve_pmf_many
from rewardloop.settings import ExperimentSettings, PolicySettings

_TRIED = ("egreedy", "squarecb", "regcbopt")
"""Explorations that an optimisation tries, each with its defaults."""

Weigh = Callable[[Interactions], Floats]
"""(n,) importance weights of the logged actions."""


def evaluated(settings: ExperimentSettings, data: DataSet, job: Job, kept_arguments: str) -> Job:
    """The job with its results. Raises `Conflict` where there is nothing to judge by."""
    after, until, ratio = job.start_at - 1, min(job.end_at, data.watermark), settings.training.ratio
    weighing = _weighing(settings, data, job, kept_arguments)
    buckets: dict[str, dict[int, Bucket]] = {name: {} for _, name, _, _ in weighing}
    n = 0
    for batch in map(decided_by_models, data.interactions(after=after, until=until, split="eval", ratio=ratio)):
        n += len(batch)
        for _, name, _, weigh in weighing:
            buckets[name] = added(buckets[name], bucketed(batch.closed_at, weigh(batch), batch.reward))
    if not n:
        raise Conflict(f"No held-out event closed in the period (training.ratio is {ratio:g}): choose another, or join first")
    results = [PolicyResult(name, text, source, list(buckets[name].values())) for source, name, text, _ in weighing]
    told = f"{n} held-out events, which no model of the period was trained on"
    return replace(job, results=results, optimal=_optimal(results), status="Succeeded", description=told)


def _weighing(settings: ExperimentSettings, data: DataSet, job: Job, kept_arguments: str) -> list[tuple[Source, str, str, Weigh]]:
    online = kept_arguments or render_policy(settings)
    found: list[tuple[Source, str, str, Weigh]] = [
        ("Online", ONLINE, online, lambda batch: np.ones(len(batch))),
        ("Baseline", BASELINE, "", _baseline),
        ("Random", RANDOM, "", _random),
    ]
    for source, policy in [*_named(job), *_tried(settings, job)]:
        theirs = with_policy(settings, parse_policy(policy.arguments, settings.policy.floor))
        found.append((source, policy.name, policy.arguments, partial(_served, _trained(theirs, data, job), theirs.policy.floor)))
    return found


def _named(job: Job) -> list[tuple[Source, Policy]]:
    return [("Custom", policy) for policy in job.policies]


def _tried(settings: ExperimentSettings, job: Job) -> list[tuple[Source, Policy]]:
    if not job.optimise:
        return []
    tried = [replace(settings, policy=PolicySettings(exploration=each)) for each in _TRIED]  # type: ignore[arg-type]
    return [("OfflineExperimentation", Policy(f"Tried {each.exploration}", render_policy(each))) for each in tried]


def _trained(settings: ExperimentSettings, data: DataSet, job: Job) -> Served:
    learning = replace(settings, mode="online")
    return train(None, data, learning, after=job.start_at - 1, until=min(job.end_at, data.watermark)).policy


def _served(policy: Served, floor: float, batch: Interactions) -> Floats:
    if not len(batch):
        return np.empty(0)
    pmf = serve_pmf_many(policy.pmf_many(batch.contexts, batch.actions), batch.offsets, floor)
    weights: Floats = pmf[batch.chosen] / batch.probability
    return weights


def _allowed(batch: Interactions) -> list[np.ndarray[tuple[int], np.dtype[np.bool_]]]:
    """Of each event, which actions could be chosen: excluded ones have probability 0."""
    return [batch.pmf[start:end] != 0 for start, end in zip(batch.offsets[:-1], batch.offsets[1:], strict=True)]


def _baseline(batch: Interactions) -> Floats:
    """The first action that was not excluded."""
    first = np.array([int(allowed.argmax()) for allowed in _allowed(batch)], int)
    weights: Floats = (first == batch.action) / batch.probability
    return weights


def _random(batch: Interactions) -> Floats:
    n_allowed = np.array([int(allowed.sum()) for allowed in _allowed(batch)], float)
    weights: Floats = 1.0 / np.maximum(n_allowed, 1.0) / batch.probability
    return weights


def _optimal(results: list[PolicyResult]) -> str:
    """Whose lower bound is highest, of those that can be applied; what is online where no other is above its mean."""
    online = snips(total(results[0].buckets))
    best, least = ONLINE, online.mean if online else float("-inf")
    for result in results[3:]:
        found = snips(total(result.buckets))
        if found is not None and found.lower > least:
            best, least = result.name, found.lower
    return best
