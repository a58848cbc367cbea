"""A policy replays another system's log: by rejection, or weighted by importance.

Rejection (Li, Chu, Langford & Wang, 2011; Dudík et al., 2012): an event is kept with probability π(a)·m/p, m the smallest
logged probability. What is kept is as if the policy had decided it; it learns from that alone. Unbiased, and hungry.
Importance: every event is learned from, and counts in the mean with weight π(a)/p before it is (self-normalised): biased by
1/n, and it spends nothing.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from rewardloop.errors import InvalidInput
from rewardloop.interactions import Floats, Interactions
from rewardloop.policies import new_policy
from rewardloop.policies.exploration import serve_pmf_many
from rewardloop.testbed.arms import CpuSeconds, curve, settings_for
from rewardloop.testbed.cell import WINDOWS, Cell, Row, Spent
from rewardloop.worlds.logged import LoggedWorld


def replay(cell: Cell, world: LoggedWorld, cpu: CpuSeconds) -> Row:
    """One run over at most `rounds` events. `batch` events are decided between two steps of learning; delays do not apply."""
    knobs, log = cell.knobs, world.interactions
    log = log.take(np.arange(min(len(log), knobs.rounds)))
    settings = settings_for(cell.contender.policy, world.arms)
    policy, dice = new_policy(settings, cell.seed), np.random.default_rng([cell.seed, 1])
    low, u = float(log.probability.min()), dice.random(len(log))
    weights: Floats = np.zeros(len(log))
    deciding = learning = 0.0
    for start in range(0, len(log), knobs.batch):
        part = log.take(np.arange(start, min(start + knobs.batch, len(log))))
        began = cpu()
        pmf = serve_pmf_many(policy.pmf_many(part.contexts, part.actions), part.offsets, settings.policy.floor)
        decided = cpu()
        target, rows = pmf[part.chosen], slice(start, start + len(part))
        weights[rows] = target / part.probability
        if knobs.replay == "rejection":
            kept = u[rows] < low * weights[rows]
            weights[rows] = kept
            part = _as_decided(part, pmf, target).take(kept)
        policy.learn(part)
        deciding, learning = deciding + decided - began, learning + cpu() - decided
    counted = np.flatnonzero(weights > 0)
    reward, weight = log.reward[counted], weights[counted]
    if not len(counted):
        raise InvalidInput(
            f"Expected events to keep in {world.name}, kept none of {len(log):,}: replay by importance", at="--replay"
        )
    mean, spent = float(weight @ reward / weight.sum()), Spent(deciding, learning, len(log))
    return Row.of(cell, mean, _curve(reward, weight), spent, n_used=len(counted))


def _as_decided(part: Interactions, pmf: Floats, target: Floats) -> Interactions:
    """With the policy's own distribution: that is what the kept events were decided by."""
    return replace(part, probability=target, pmf=pmf)


def _curve(reward: Floats, weight: Floats) -> tuple[float, ...]:
    if len(np.unique(weight)) == 1:
        return curve(reward)
    parts = np.array_split(np.arange(len(reward)), min(WINDOWS, len(reward)))
    return tuple(float(weight[part] @ reward[part] / weight[part].sum()) for part in parts)
