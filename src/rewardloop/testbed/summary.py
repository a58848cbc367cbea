"""Rows become what one reads: a mean with its interval over the seeds for every policy in every world, and over all worlds."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

import msgspec
import numpy as np
from msgspec.structs import replace

from rewardloop.evaluation import Estimate
from rewardloop.evaluation.intervals import normal
from rewardloop.interactions import Floats
from rewardloop.testbed.cell import SKYLINE, Knobs, Row

LEVEL = 0.95


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """One policy in one world. Intervals are over the seeds; of a single one they are infinite."""

    policy: str
    world: str
    n_seeds: int
    mean_reward: Estimate
    regret: Estimate | None
    """Reward that a run falls short of the skyline, in all; None for a log."""
    share: float | None
    """Of the skyline's mean reward."""
    curve: tuple[Estimate, ...]
    """Mean reward of each window, n being the round at its end."""
    decide_us: float
    learn_us: float
    n_used: float


class Overall(msgspec.Struct, frozen=True, kw_only=True):
    """One policy over all worlds, each world counting alike."""

    policy: str
    mean_reward: float
    share: float | None
    """Mean share of the skyline."""
    worst_share: float | None
    worst_world: str
    against_best: float
    """Smallest ratio, over the worlds, of its mean reward to the best policy's there."""
    round_us: float


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """The whole result."""

    knobs: Knobs
    skylines: dict[str, float]
    best_fixed: dict[str, float]
    scores: tuple[Score, ...]
    overall: tuple[Overall, ...]
    """Best first."""


def summarise(rows: Sequence[Row], knobs: Knobs) -> Summary:
    """Of the rows that were played with these knobs."""
    played = [row for row in rows if row.policy != SKYLINE and row.knobs == knobs]
    told = {row.world: row.mean_reward for row in rows if row.policy == SKYLINE}
    worlds = {world: [row for row in played if row.world == world] for world in dict.fromkeys(row.world for row in played)}
    skylines = {world: told.get(world, _mean([row.best for row in group])) for world, group in worlds.items()}
    fixed = {world: _mean([row.best_fixed for row in group]) for world, group in worlds.items()}
    names = tuple(dict.fromkeys(row.policy for row in played))
    scores = tuple(
        _score(mine, skylines[world], told.get(world))
        for world, group in worlds.items()
        for name in names
        if (mine := [row for row in group if row.policy == name])
    )
    return Summary(
        knobs=knobs,
        skylines={world: value for world, value in skylines.items() if value is not None},
        best_fixed={world: value for world, value in fixed.items() if value is not None},
        scores=scores,
        overall=tuple(sorted((_overall(name, scores) for name in names), key=lambda each: -each.mean_reward)),
    )


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _score(rows: Sequence[Row], skyline: float | None, told: float | None) -> Score:
    """`told` is the skyline where the rounds themselves do not say it."""
    means = np.array([row.mean_reward for row in rows])
    tops = [row.best if told is None else told for row in rows]
    regrets = [row.n_used * (top - row.mean_reward) for row, top in zip(rows, tops, strict=True) if top is not None]
    mean = estimate(means)
    return Score(
        policy=rows[0].policy,
        world=rows[0].world,
        n_seeds=len(rows),
        mean_reward=mean,
        regret=estimate(np.array(regrets)) if regrets else None,
        share=mean.value / skyline if skyline else None,
        curve=_curve(rows),
        decide_us=float(np.mean([row.decide_us for row in rows])),
        learn_us=float(np.mean([row.learn_us for row in rows])),
        n_used=float(np.mean([row.n_used for row in rows])),
    )


def estimate(values: Floats) -> Estimate:
    """Mean with its interval over the runs; of a single run the bounds are infinite, for nothing is known of their scatter.

    >>> estimate(np.array([0.5])).upper
    inf
    """
    if len(values) < 2:
        return Estimate(float(values.mean()), -inf, inf, LEVEL, len(values), float(len(values)))
    return normal(values, LEVEL)


def _curve(rows: Sequence[Row]) -> tuple[Estimate, ...]:
    """Windows that every run has; n is the round at the window's end, of a run of the usual length."""
    width = min(len(row.curve) for row in rows)
    n = float(np.mean([row.n_used for row in rows]))
    windows = [estimate(np.array([row.curve[i] for row in rows])) for i in range(width)]
    return tuple(replace(window, n=round(n * (i + 1) / width)) for i, window in enumerate(windows))


def _overall(name: str, scores: Sequence[Score]) -> Overall:
    mine = [score for score in scores if score.policy == name]
    shares = {score.world: score.share for score in mine if score.share is not None}
    best = {score.world: max(s.mean_reward.value for s in scores if s.world == score.world) for score in mine}
    ratios = [score.mean_reward.value / best[score.world] for score in mine if best[score.world] > 0]
    worst = min(shares, key=lambda world: shares[world], default="")
    return Overall(
        policy=name,
        mean_reward=float(np.mean([score.mean_reward.value for score in mine])),
        share=float(np.mean(list(shares.values()))) if shares else None,
        worst_share=shares.get(worst),
        worst_world=worst,
        against_best=min(ratios, default=1.0),
        round_us=float(np.mean([score.decide_us + score.learn_us for score in mine])),
    )
