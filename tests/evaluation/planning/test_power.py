"""The number of events predicted is the one at which simulated tests see the difference four times in five."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from observed_logs import clean_interactions
from rewardloop.errors import InvalidInput
from rewardloop.evaluation.intervals import normal
from rewardloop.evaluation.planning.learnability import policy_scores
from rewardloop.evaluation.planning.power import Plan, detectable, events_needed, planned_spread, spread
from rewardloop.evaluation.sequences import asymptotic
from rewardloop.interactions import Floats

LEVEL_Z = 1.959964
RUNS = 2_000

Scores = Callable[[np.random.Generator, int], Floats]


def seen(scores: Scores, n: int, seed: int = 0) -> float:
    """Share of simulated tests of n events whose 95 % interval lies above 0."""
    generator = np.random.default_rng(seed)
    hits = 0
    for _ in range(RUNS):
        drawn = scores(generator, n)
        hits += drawn.mean() - LEVEL_Z * drawn.std(ddof=1) / np.sqrt(n) > 0
    return hits / RUNS


@pytest.mark.parametrize(
    ("plan", "delta"),
    [
        (Plan(arms=2, floor=0.2, rate=0.3), 0.08),
        (Plan(arms=5, floor=0.5, rate=0.5, changed=0.5), 0.1),
        (Plan(arms=3, floor=0.3, rate=0.1), 0.06),
    ],
)
def test_a_plan_holds_within_a_fifth(plan: Plan, delta: float) -> None:
    mix, rare = 1 - plan.floor, plan.floor / plan.arms
    lift = delta / (plan.changed * mix)

    def scores(generator: np.random.Generator, n: int) -> Floats:
        """Logged by the hosted policy; DR scores of candidate − hosted, with a reward model that knows only the rate."""
        arm = generator.random(n)
        changed = generator.random(n) < plan.changed
        better, hosted = changed & (arm < rare), changed & (arm >= 1 - (mix + rare))
        reward = generator.random(n) < np.where(better, plan.rate + lift, plan.rate)
        return (reward - plan.rate) * (better * mix / rare - hosted * mix / (mix + rare))

    n = events_needed(planned_spread(plan, delta), delta)
    assert spread(scores(np.random.default_rng(1), 400_000)) == pytest.approx(planned_spread(plan, delta), rel=0.02)
    assert seen(scores, int(0.8 * n)) < 0.8 < seen(scores, int(1.2 * n))


def test_the_scatter_of_a_log_predicts_its_successors() -> None:
    """From one log of 2,000 events; the scores of another hundred thousand stand for the world."""
    scores = policy_scores(clean_interactions(np.random.default_rng(1), n=2_000, floor=0.5))
    other = policy_scores(clean_interactions(np.random.default_rng(2), n=100_000, floor=0.5))
    world = other.fitted - other.logged
    delta = float(world.mean())
    n = events_needed(spread(scores.fitted - scores.logged), delta)
    resampled: Scores = lambda generator, size: generator.choice(world, size)  # noqa: E731
    assert seen(resampled, int(0.8 * n)) < 0.8 < seen(resampled, int(1.2 * n))


def test_a_sequence_needs_1_9_times_the_events() -> None:
    """Power z of the upper tail stays, the interval is wider: (z_sequence + z)² / (z_normal + z)²."""
    scores = np.tile([-1.0, 1.0], 5_000)
    wide, narrow = (found.upper - found.lower for found in (asymptotic(scores, 0.95, len(scores)), normal(scores, 0.95)))
    z_sequence = LEVEL_Z * wide / narrow
    assert ((z_sequence + 0.8416) / (LEVEL_Z + 0.8416)) ** 2 == pytest.approx(1.9, abs=0.05)


def test_what_n_events_show_needs_n_events() -> None:
    assert events_needed(0.7, detectable(0.7, 5_000)) == pytest.approx(5_000, abs=1)
    assert events_needed(0.7, 0.02, power=0.9) > events_needed(0.7, 0.02) > events_needed(0.7, 0.02, level=0.9)


@pytest.mark.parametrize(
    ("plan", "delta", "said"),
    [
        (Plan(arms=1, floor=0.2, rate=0.3), 0.1, "at least 2 arms"),
        (Plan(arms=2, floor=0.0, rate=0.3), 0.1, "`--floor`"),
        (Plan(arms=2, floor=0.2, rate=1.0), 0.1, "`--rate`"),
        (Plan(arms=2, floor=0.2, rate=0.3, changed=1.5), 0.1, "`--changed`"),
        (Plan(arms=2, floor=0.2, rate=0.3), 0.0, "difference above 0"),
        (Plan(arms=2, floor=0.2, rate=0.9), 0.2, "gain of at most 0.08"),
    ],
)
def test_what_no_number_of_events_can_answer(plan: Plan, delta: float, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        planned_spread(plan, delta)
