"""A bandit against an A/B test on a log: both replay it, each sees the logged reward of what it would have shown, and no other.

Rejection sampling (Li, Chu, Langford & Wang 2011; Dudík et al. 2012): an event is a visitor where a coin falls below π(a)·m/p, m
the smallest logged probability. What is kept is as if the way of choosing had decided it, and of n events about n·m are kept,
whatever the way: so both are given as many visitors. Nothing is modelled or made up; the price is the events that are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal, NamedTuple

import msgspec
import numpy as np
from scipy.special import ndtri, stdtrit

from rewardloop.comparing.split import SplitDesign
from rewardloop.errors import InvalidInput
from rewardloop.evaluation import Estimate
from rewardloop.features import ActionSet
from rewardloop.interactions import Floats, Interactions, Ints
from rewardloop.policies import new_policy
from rewardloop.policies.exploration import serve_pmf_many
from rewardloop.settings import ExperimentSettings, PolicySettings, RewardSettings
from rewardloop.settings.schema import Exploration
from rewardloop.worlds.logged import LoggedWorld

Replay = Literal["rejection", "importance"]

LEVEL = 0.95
BATCH = 100
"""Visitors between two steps of learning, about."""
LEAST = 200
"""Visitors: fewer tell nothing about either."""


class Way(msgspec.Struct, frozen=True):
    """What one way of choosing earned. Intervals are of the spread over resamples of the log: another log would differ as much."""

    name: str
    mean_reward: Estimate
    gain: Estimate | None = None
    """Over the A/B test; None for that itself."""
    wins: float | None = None
    """Share of the runs in which it earned more than the A/B test."""
    ess: float | None = None
    """Weighted by importance: as many events decided by itself would tell as much; None for rejection, where all used ones are."""


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """The whole result."""

    log: str
    n_events: int
    n_used: float
    """Visitors a run: events that a replay could use, on average."""
    least_probability: float
    """The smallest logged one: the share of events that can be used."""
    runs: int
    seed: int
    design: SplitDesign
    logged: float
    """Mean reward of the log as it was."""
    ab_test: Way
    bandits: tuple[Way, ...]
    ended_after: Estimate
    significant: float
    winners: dict[str, float]
    """Share of the runs in which each arm was rolled out."""
    replay: Replay = "rejection"
    """How the log was replayed; by `importance` `n_used` is the smallest effective sample size."""

    @property
    def summary(self) -> str:
        """What could be replayed, and who earned more."""
        if self.replay == "importance":
            said = f"Weighted, {self.n_events:,} events tell as much as {self.n_used:,.0f} of its own decisions would."
            return " ".join([said, *_versus(self)])
        used = f"{self.n_used:,.0f} of {self.n_events:,} events could be used"
        return " ".join([f"{used}, as the log took some action with probability {self.least_probability:.3g}.", *_versus(self)])


def replayed(
    world: LoggedWorld,
    policies: Sequence[Exploration],
    *,
    runs: int,
    seed: int,
    design: SplitDesign,
    on_run: Callable[[], None] = lambda: None,
) -> Replayed:
    """Replays the log `runs` times, each time a resample of it, in its order. The same seed gives the same numbers.

    Raises `InvalidInput` where the log has no arms that last, or a replay could use fewer than 200 of its events.
    """
    arms, log = arms_of(world), world.interactions
    low = float(log.probability.min())
    if len(log) * low < LEAST:
        raise InvalidInput(
            f"A replay could use about {len(log) * low:,.0f} of {len(log):,} events, as the log took an action with probability "
            f"{low:.3g}; {LEAST} are needed: explore more (`policy.floor`), try `--replay importance`, or see `evaluate`",
            at="--log",
        )
    policies, drawn = tuple(dict.fromkeys(policies)), []
    for run in range(runs):
        drawn.append(_run(log, arms, policies, low, design, (seed, run)))
        on_run()
    earned, tests = np.array([each.earned for each in drawn]), [each.test for each in drawn]
    return Replayed(
        log=world.name,
        n_events=len(log),
        n_used=float(np.mean([each.n_used for each in drawn])),
        least_probability=low,
        runs=runs,
        seed=seed,
        design=design,
        logged=float(log.reward.mean()),
        ab_test=Way("A/B test", over_runs(earned[:, 0])),
        bandits=tuple(way(name, earned[:, i], earned[:, 0]) for i, name in enumerate(policies, 1)),
        ended_after=over_runs(np.array([test.ended_after for test in tests], dtype=np.float64)),
        significant=float(np.mean([test.significant for test in tests])),
        winners={arm: float(np.mean([test.winner == i for test in tests])) for i, arm in enumerate(arms.ids)},
    )


class Test(NamedTuple):
    """How an A/B test ended."""

    winner: int
    ended_after: int
    significant: bool


class _Drawn(NamedTuple):
    """One run: mean rewards of the A/B test and of each policy over as many visitors."""

    earned: list[float]
    test: Test
    n_used: int


def _run(  # noqa: PLR0917 - what is replayed, by whom, how
    log: Interactions, arms: ActionSet, policies: Sequence[Exploration], low: float, design: SplitDesign, seed: tuple[int, int]
) -> _Drawn:
    generator = np.random.default_rng([*seed, 0])
    sample = log.take(np.sort(generator.integers(len(log), size=len(log))))
    chance, model_seed = low / sample.probability, int(generator.integers(2**31))
    coins = generator.random((1 + len(policies), len(log)))
    test, kept = _ab_test(sample, len(arms), chance, coins[0], design)
    shown = [
        kept,
        *(
            _bandit(sample, settings_for(log, arms, name), chance, coin, model_seed)
            for name, coin in zip(policies, coins[1:], strict=True)
        ),
    ]
    n_used = min(len(each) for each in shown)
    return _Drawn([float(sample.reward[each[:n_used]].mean()) for each in shown], test, n_used)


def _ab_test(log: Interactions, n_arms: int, chance: Floats, coin: Floats, design: SplitDesign) -> tuple[Test, Ints]:
    """The test, and the positions of its visitors. Welch's z of the leader against each other arm, at the level shared out."""
    split = np.flatnonzero(coin < chance / n_arms)
    bar = float(-ndtri((1 - design.level) / 2 / ((n_arms - 1) * design.looks)))
    horizon = max(1, round(len(split) * design.share))
    for look in range(1, design.looks + 1):
        seen = split[: max(horizon * look // design.looks, 1)]
        winner, z = _leader(log.action[seen], log.reward[seen], n_arms)
        if z > bar:
            break
    after = seen[-1] + 1
    rolled_out = after + np.flatnonzero((log.action[after:] == winner) & (coin[after:] < chance[after:]))
    return Test(winner, len(seen), z > bar), np.concatenate([seen, rolled_out])


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


def settings_for(log: Interactions, arms: ActionSet, exploration: Exploration) -> ExperimentSettings:
    low, high = float(log.reward.min()), float(log.reward.max())
    return ExperimentSettings(
        experiment="compare-ab",
        actions=arms.ids,
        policy=PolicySettings(exploration=exploration),
        reward=RewardSettings(range=(low, high) if low < high else None),
    )


def arms_of(world: LoggedWorld) -> ActionSet:
    """Those of the log, where they are the same in each event and have no features. Raises `InvalidInput`."""
    first, *others = {actions.ids: actions for actions in world.interactions.actions}.values()
    if others or first.features is not None or first.ranges is not None or len(first) < 2:
        raise InvalidInput(
            "Expected two arms or more, the same in each event, without features: only those an A/B test compares", at="--log"
        )
    return first


def over_runs(values: Floats) -> Estimate:
    """Mean ± t·sd: of one run, which stands for one log, not of the mean of many."""
    n, value = len(values), float(values.mean())
    half = float(stdtrit(n - 1, (1 + LEVEL) / 2) * values.std(ddof=1))
    return Estimate(value, value - half, value + half, LEVEL, n, float(n))


def way(name: str, mine: Floats, theirs: Floats, ess: float | None = None) -> Way:
    """Of a bandit, from what each of the runs earned, beside the A/B test's."""
    return Way(f"bandit ({name})", over_runs(mine), over_runs(mine - theirs), float(np.mean(mine > theirs)), ess)


def _versus(found: Replayed) -> list[str]:
    said = []
    for way in found.bandits:
        assert way.gain is not None
        sure = "" if way.gain.lower > 0 or way.gain.upper < 0 else ": too close to call on this log"
        interval = f"{way.gain.level:.0%} interval {way.gain.lower:+.4g} to {way.gain.upper:+.4g}"
        said.append(f"The {way.name} earned {way.gain.value:+.4g} a visitor against the A/B test, {interval}{sure}.")
    return said
