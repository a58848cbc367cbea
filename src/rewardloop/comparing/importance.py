"""A replay weighted by importance: every event counts, with π(a)/p, and every event is learned from.

Where rejection leaves most of a log out, this uses all of it. The price: both learn from what the log showed, not from what they
would have shown, so they know at each moment as much as the log could tell; and means of heavy weights spread widely, which the
intervals, of resamples of the log, include. Self-normalised, so biased by 1/ess.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from rewardloop.comparing.resample import BATCH, LEAST, Ended, Resample, Run
from rewardloop.comparing.split import SplitDesign
from rewardloop.errors import InvalidInput
from rewardloop.evaluation import effective_sample_size
from rewardloop.interactions import Floats, Interactions, Ints
from rewardloop.policies import new_policy
from rewardloop.policies.exploration import serve_pmf_many
from rewardloop.settings import ExperimentSettings
from rewardloop.settings.schema import Exploration


class _Shown(NamedTuple):
    mean: float
    ess: float


def weighted(sample: Resample, policies: Sequence[Exploration], design: SplitDesign) -> Run:
    """One run, over every event."""
    test, found = _ab_test(sample.log, len(sample.arms), design)
    shown = [found, *(_bandit(sample.log, sample.settings(name), sample.model_seed) for name in policies)]
    return Run(test, [each.mean for each in shown], [each.ess for each in shown])


def require_worth(n_events: int, ess: float) -> None:
    """Raises `InvalidInput` where the weights leave fewer than 200 events' worth."""
    if ess < LEAST:
        raise InvalidInput(
            f"Weighted, {n_events:,} events tell as much as {ess:,.0f}; {LEAST} are needed: explore more (`policy.floor`), "
            "or see `evaluate`",
            at="--log",
        )


def _ab_test(log: Interactions, n_arms: int, design: SplitDesign) -> tuple[Ended, _Shown]:
    """An even split until the leader is clear, or for its share of the events; then the leader, for everybody."""
    bar = design.bar(n_arms)
    horizon = max(1, round(len(log) * design.share))
    inverse = 1 / log.probability
    for look in range(1, design.looks + 1):
        n = max(horizon * look // design.looks, 1)
        winner, z = _leader(log.action[:n], log.reward[:n], inverse[:n], n_arms)
        if z > bar:
            break
    weight = np.where(np.arange(len(log)) < n, inverse / n_arms, inverse * (log.action == winner))
    mean = (n * _mean(weight[:n], log.reward[:n]) + (len(log) - n) * _mean(weight[n:], log.reward[n:])) / len(log)
    return Ended(winner, n, z > bar), _Shown(mean, effective_sample_size(weight))


def _leader(action: Ints, reward: Floats, weight: Floats, n_arms: int) -> tuple[int, float]:
    """The arm with the highest weighted mean, and its smallest z over another; 0 where an arm is too little known to tell."""
    n, total = np.bincount(action, minlength=n_arms), np.bincount(action, weight, n_arms)
    known = np.maximum(total, 1e-150)
    mean = np.bincount(action, weight * reward, n_arms) / known
    variance = np.bincount(action, np.square(weight * (reward - mean[action])), n_arms) / np.square(known)
    winner = int(np.argmax(np.where(n > 0, mean, -np.inf)))
    others = np.arange(n_arms) != winner
    with np.errstate(divide="ignore", invalid="ignore"):
        z = (mean[winner] - mean[others]) / np.sqrt(variance[winner] + variance[others])
    told = (n[others] > 1) & (n[winner] > 1) & np.isfinite(z)
    return winner, float(np.where(told, z, 0.0).min())


def _bandit(log: Interactions, settings: ExperimentSettings, seed: int) -> _Shown:
    """It decides `BATCH` events as it stands, then learns from them."""
    policy, weight = new_policy(settings, seed), np.empty(len(log))
    for start in range(0, len(log), BATCH):
        rows = np.arange(start, min(start + BATCH, len(log)))
        part = log.take(rows)
        pmf = serve_pmf_many(policy.pmf_many(part.contexts, part.actions), part.offsets, settings.policy.floor)
        weight[rows] = pmf[part.chosen] / part.probability
        policy.learn(part)
    return _Shown(_mean(weight, log.reward), effective_sample_size(weight))


def _mean(weight: Floats, reward: Floats) -> float:
    total = float(weight.sum())
    return float(weight @ reward) / total if total > 0 else 0.0
