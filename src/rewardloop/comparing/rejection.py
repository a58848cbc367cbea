"""A replay by rejection: each way of choosing sees the logged reward of what it would have shown, and no other.

Rejection sampling (Li, Chu, Langford & Wang 2011; Dudík et al. 2012): an event is a visitor where a coin falls below π(a)·m/p, m
the smallest logged probability. What is kept is as if the way of choosing had decided it, and of n events about n·m are kept,
whatever the way: so both are given as many visitors. Nothing is modelled or made up; the price is the events that are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from rewardloop.comparing.resample import BATCH, LEAST, Ended, Resample, Run
from rewardloop.comparing.split import SplitDesign
from rewardloop.errors import InvalidInput
from rewardloop.interactions import Floats, Interactions, Ints
from rewardloop.policies import new_policy
from rewardloop.policies.exploration import serve_pmf_many
from rewardloop.settings import ExperimentSettings
from rewardloop.settings.schema import Exploration


def rejected(sample: Resample, policies: Sequence[Exploration], low: float, design: SplitDesign) -> Run:
    """One run, over as many visitors for each; `low` is the smallest probability of the whole log."""
    log = sample.log
    chance, coins = low / log.probability, sample.rng.random((1 + len(policies), len(log)))
    test, kept = _ab_test(log, len(sample.arms), chance, coins[0], design)
    theirs = [
        _bandit(log, sample.settings(name), chance, coin, sample.model_seed) for name, coin in zip(policies, coins[1:], strict=True)
    ]
    n = min(len(each) for each in (kept, *theirs))
    return Run(test, [float(log.reward[each[:n]].mean()) for each in (kept, *theirs)], [float(n)] * (1 + len(theirs)))


def require_usable(log: Interactions, low: float) -> None:
    """Raises `InvalidInput` where a replay could use fewer than 200 of the events."""
    if len(log) * low < LEAST:
        raise InvalidInput(
            f"A replay could use about {len(log) * low:,.0f} of {len(log):,} events, as the log took an action with probability "
            f"{low:.3g}; {LEAST} are needed: explore more (`policy.floor`), try `--replay importance`, or see `evaluate`",
            at="--log",
        )


def _ab_test(log: Interactions, n_arms: int, chance: Floats, coin: Floats, design: SplitDesign) -> tuple[Ended, Ints]:
    """The test, and the positions of its visitors. Welch's z of the leader against each other arm, at the level shared out."""
    split = np.flatnonzero(coin < chance / n_arms)
    bar = design.bar(n_arms)
    horizon = max(1, round(len(split) * design.share))
    for look in range(1, design.looks + 1):
        seen = split[: max(horizon * look // design.looks, 1)]
        winner, z = _leader(log.action[seen], log.reward[seen], n_arms)
        if z > bar:
            break
    after = seen[-1] + 1
    rolled_out = after + np.flatnonzero((log.action[after:] == winner) & (coin[after:] < chance[after:]))
    return Ended(winner, len(seen), z > bar), np.concatenate([seen, rolled_out])


def _leader(action: Ints, reward: Floats, n_arms: int) -> tuple[int, float]:
    """The arm with the highest mean, and its smallest z over another; 0 where an arm is too little known to tell."""
    n = np.bincount(action, minlength=n_arms)
    mean = np.bincount(action, reward, n_arms) / np.maximum(n, 1)
    variance = np.maximum(np.bincount(action, np.square(reward), n_arms) / np.maximum(n, 1) - mean**2, 0.0)
    winner = int(np.argmax(np.where(n > 0, mean, -np.inf)))
    others = np.arange(n_arms) != winner
    with np.errstate(divide="ignore", invalid="ignore"):
        z = (mean[winner] - mean[others]) / np.sqrt(variance[winner] / n[winner] + variance[others] / n[others])
    known = (n[others] > 1) & (n[winner] > 1) & np.isfinite(z)
    return winner, float(np.where(known, z, 0.0).min())


def _bandit(log: Interactions, settings: ExperimentSettings, chance: Floats, coin: Floats, seed: int) -> Ints:
    """Positions of the visitors of a policy that learns from them alone."""
    policy, kept = new_policy(settings, seed), []
    size = max(1, round(BATCH / float((chance * log.probability).mean())))
    for start in range(0, len(log), size):
        rows = np.arange(start, min(start + size, len(log)))
        part = log.take(rows)
        pmf = serve_pmf_many(policy.pmf_many(part.contexts, part.actions), part.offsets, settings.policy.floor)
        mine = coin[rows] < chance[rows] * pmf[part.chosen]
        kept.append(rows[mine])
        if mine.any():
            policy.learn(replace(part, probability=pmf[part.chosen], pmf=pmf).take(mine))
    return np.concatenate(kept)
