"""Many runs of both, and what they say: means with intervals over the runs, regret, errors, who won how often."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
import numpy as np

from rewardloop.comparing.bandit import bandit
from rewardloop.comparing.split import SplitDesign, SplitTest, ab_test
from rewardloop.errors import InvalidInput
from rewardloop.evaluation import Estimate
from rewardloop.evaluation.intervals import normal
from rewardloop.interactions import Floats, Ints
from rewardloop.settings.schema import Exploration
from rewardloop.worlds.population import Population

LEVEL = 0.95
WINDOWS = 20
MIN_VISITORS = 100


class Earned(msgspec.Struct, frozen=True):
    """What one way of choosing earned. Every interval is over the runs."""

    name: str
    mean_reward: Estimate
    regret: Estimate
    """Reward a run falls short of the skyline, in all."""
    curve: tuple[Estimate, ...]
    """Mean reward of each window of visitors."""
    gain: Estimate | None = None
    """Mean reward over the A/B test's, on the same visitors; None for that itself."""
    wins: float | None = None
    """Share of the runs in which it earned more than the A/B test."""


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """The whole result. A reward is counted at its expectation under the arm shown: luck pays nobody."""

    population: str
    visitors: int
    runs: int
    seed: int
    design: SplitDesign
    uniform: float
    best_fixed: float
    skyline: float
    windows: tuple[int, ...]
    """Visitors at the end of each window of the curves."""
    ab_test: Earned
    bandits: tuple[Earned, ...]
    ended_after: Estimate
    """Visitors until the A/B test ended."""
    significant: float
    """Share of the runs in which its winner was significant; where all arms are equal, its false alarms."""
    errors: float
    """Share of the runs in which it rolled out an arm that is not the best."""

    @property
    def summary(self) -> str:
        """Who earned more, and why, in sentences."""
        said = [_versus(bandit, self.ab_test.mean_reward.value) for bandit in self.bandits]
        return " ".join([*said, _PERSONAL if self.skyline > 1.05 * self.best_fixed else _FOR_ALL])


_PERSONAL = (
    "Here the right arm depends on the visitor: an A/B test ends at the best arm for everybody, and personalisation is where "
    "more is to be had."
)
_FOR_ALL = (
    "Here one arm is best for (nearly) everybody: all that a bandit can save is part of the cost of testing, often a few per cent."
)


def compare(
    population: Population,
    policies: Sequence[Exploration],
    *,
    visitors: int,
    runs: int,
    seed: int,
    design: SplitDesign,
    on_run: Callable[[], None] = lambda: None,
) -> Comparison:
    """Give the same visitors to the A/B test and to each policy, `runs` times. The same seed gives the same numbers.

    Raises `InvalidInput` for fewer than 2 runs (nothing to say how sure) or fewer than 100 visitors.
    """
    if runs < 2 or visitors < MIN_VISITORS:
        raise InvalidInput(f"Expected at least 2 runs of {MIN_VISITORS} visitors, got {runs} of {visitors}", at="runs, visitors")
    policies = tuple(dict.fromkeys(policies))
    tests, earned = [], []
    for run in range(runs):
        tested, rewards = _run(population, policies, visitors, design, (seed, run))
        tests.append(tested)
        earned.append(rewards)
        on_run()
    windows = np.array(earned).swapaxes(0, 1)
    best_fixed = float(population.arm_means.max())
    return Comparison(
        population=population.name,
        visitors=visitors,
        runs=runs,
        seed=seed,
        design=design,
        uniform=float(population.means.mean()),
        best_fixed=best_fixed,
        skyline=population.skyline,
        windows=tuple(_ends(visitors).tolist()),
        ab_test=_earned("A/B test", windows[0], visitors, population.skyline),
        bandits=tuple(
            _against(_earned(f"bandit ({name})", mine, visitors, population.skyline), mine, windows[0], visitors)
            for name, mine in zip(policies, windows[1:], strict=True)
        ),
        ended_after=normal(np.array([test.ended_after for test in tests], dtype=np.float64), LEVEL),
        significant=float(np.mean([test.significant for test in tests])),
        errors=float(np.mean([population.arm_means[test.winner] < best_fixed - 1e-12 for test in tests])),
    )


def _run(
    population: Population, policies: Sequence[Exploration], n: int, design: SplitDesign, seed: tuple[int, int]
) -> tuple[SplitTest, Floats]:
    """The test, and (1 + policies, WINDOWS) the reward that it and each policy earned in every window."""
    traffic, coin, dice = (np.random.default_rng([*seed, stream]) for stream in range(3))
    visitors = population.visitors(n, traffic)
    tested = ab_test(visitors.outcomes, design, coin)
    u, model_seed = dice.random(n), int(dice.integers(2**31))
    choices = [tested.choice, *(bandit(population, visitors, policy, model_seed, u) for policy in policies)]
    starts = _ends(n) - np.diff(_ends(n), prepend=0)
    return tested, np.array([np.add.reduceat(population.means[visitors.rows, choice], starts) for choice in choices])


def _ends(n: int) -> Ints:
    ends: Ints = np.linspace(0, n, WINDOWS + 1).astype(np.int64)[1:]
    return ends


def _earned(name: str, windows: Floats, n: int, skyline: float) -> Earned:
    """From (runs, WINDOWS) rewards."""
    total, sizes = windows.sum(axis=1), np.diff(_ends(n), prepend=0)
    curve = tuple(normal(window, LEVEL) for window in (windows / sizes).T)
    return Earned(name, normal(total / n, LEVEL), normal(n * skyline - total, LEVEL), curve)


def _against(mine: Earned, windows: Floats, theirs: Floats, n: int) -> Earned:
    gain = (windows.sum(axis=1) - theirs.sum(axis=1)) / n
    return msgspec.structs.replace(mine, gain=normal(gain, LEVEL), wins=float(np.mean(gain > 0)))


def _versus(mine: Earned, theirs: float) -> str:
    assert mine.gain is not None
    assert mine.wins is not None
    relative = f" ({mine.gain.value / theirs:+.1%})" if theirs else ""
    sure = "" if mine.gain.lower > 0 or mine.gain.upper < 0 else ", too close to call"
    return (
        f"The {mine.name} earned {mine.gain.value:+.4g} a visitor against the A/B test{relative}, 95 % interval "
        f"{mine.gain.lower:+.4g} to {mine.gain.upper:+.4g}{sure}; more in {mine.wins:.0%} of the runs."
    )
