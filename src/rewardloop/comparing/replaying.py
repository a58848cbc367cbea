"""A bandit against an A/B test on a log: both replay it, many times over, and the spread of the runs says how sure one may be."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import numpy as np
from scipy.special import stdtrit

from rewardloop.comparing.importance import require_worth, weighted
from rewardloop.comparing.rejection import rejected, require_usable
from rewardloop.comparing.replayed import Replayed, Way
from rewardloop.comparing.resample import Run, lasting_arms, resample
from rewardloop.comparing.split import SplitDesign
from rewardloop.evaluation import Estimate
from rewardloop.interactions import Floats
from rewardloop.settings.schema import Exploration
from rewardloop.worlds.logged import LoggedWorld, Replay

LEVEL: Final = 0.95


def replayed(
    world: LoggedWorld,
    policies: Sequence[Exploration],
    *,
    runs: int,
    seed: int,
    design: SplitDesign,
    replay: Replay = "rejection",
    on_run: Callable[[], None] = lambda: None,
) -> Replayed:
    """Replays the log `runs` times, each time a resample of it, in its order. The same seed gives the same numbers.

    Raises `InvalidInput` where the log has no arms that last, or a replay could use fewer than 200 of its events: by importance,
    where the weights leave fewer than 200 events' worth.
    """
    arms, policies, rejects = lasting_arms(world), tuple(dict.fromkeys(policies)), replay == "rejection"
    log, low, drawn = world.interactions, float(world.interactions.probability.min()), list[Run]()
    if rejects:
        require_usable(log, low)
    for run in range(runs):
        sample = resample(world, arms, np.random.default_rng([seed, run, 0 if rejects else 1]))
        drawn.append(rejected(sample, policies, low, design) if rejects else weighted(sample, policies, design))
        on_run()
    n_worth = np.mean([run.n_worth for run in drawn], axis=0)
    if not rejects:
        require_worth(len(log), float(n_worth.min()))
    test, *bandits = _ways(policies, drawn, [None if rejects else float(n) for n in n_worth])
    ended = [run.test for run in drawn]
    return Replayed(
        log=world.name,
        n_events=len(log),
        n_used=float(n_worth.min()),
        least_probability=low,
        runs=runs,
        seed=seed,
        design=design,
        logged=float(log.reward.mean()),
        ab_test=test,
        bandits=tuple(bandits),
        ended_after=_over_runs(np.array([each.ended_after for each in ended], dtype=np.float64)),
        significant=float(np.mean([each.significant for each in ended])),
        winners={arm: float(np.mean([each.winner == i for each in ended])) for i, arm in enumerate(arms.ids)},
        replay=replay,
    )


def _ways(policies: Sequence[Exploration], drawn: Sequence[Run], ess: Sequence[float | None]) -> Iterator[Way]:
    """The A/B test, then each policy beside it."""
    theirs, *others = np.array([run.rewards for run in drawn]).T
    yield Way("A/B test", _over_runs(theirs), ess=ess[0])
    for name, mine, worth in zip(policies, others, ess[1:], strict=True):
        yield Way(f"bandit ({name})", _over_runs(mine), _over_runs(mine - theirs), float(np.mean(mine > theirs)), worth)


def _over_runs(values: Floats) -> Estimate:
    """Mean ± t·sd: of one run, which stands for one log, not of the mean of many."""
    n, value = len(values), float(values.mean())
    half = float(stdtrit(n - 1, (1 + LEVEL) / 2) * values.std(ddof=1))
    return Estimate(value, value - half, value + half, LEVEL, n, float(n))
