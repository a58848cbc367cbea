"""The simulation, held against what is known: error rates of the test, what a bandit saves without context, and with it.

Everything is seeded. The bands are ten standard errors or more from what a broken rule would give.
"""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from scipy.stats import binom

from rewardloop.actions import fixed_actions
from rewardloop.comparing import Population, SplitDesign, bernoulli, compare
from rewardloop.comparing.split import ab_test
from rewardloop.errors import InvalidInput

FIXED = SplitDesign(looks=1)


def splits_of(rates, design, *, runs=400, visitors=4_000):
    population, tests = bernoulli(rates), []
    for run in range(runs):
        generator = np.random.default_rng([7, run])
        tests.append(ab_test(population.visitors(visitors, generator).outcomes, design, generator))
    return tests


@pytest.mark.parametrize("n_arms", [2, 5])
@pytest.mark.parametrize("looks", [1, 20])
def test_among_equal_arms_a_winner_is_declared_in_at_most_5_percent(n_arms, looks):
    found = sum(test.significant for test in splits_of([0.2] * n_arms, SplitDesign(looks=looks)))
    assert found <= binom.ppf(0.999, 400, 0.05)


def test_the_same_looks_unshared_would_deceive():
    """Twenty looks at 5 % each (a hundred in all): what the sharing is there to prevent."""
    unshared = SplitDesign(looks=20, level=1e-9)
    assert np.mean([test.significant for test in splits_of([0.2, 0.2], unshared)]) > 0.15


def test_a_fixed_horizon_has_the_power_of_the_two_proportion_test():
    """0.20 against 0.25, 1,000 visitors each: power 0.76 by the normal approximation."""
    tests = splits_of([0.20, 0.25], FIXED)
    assert {test.ended_after for test in tests} == {2_000}
    assert np.mean([test.significant for test in tests]) == pytest.approx(0.76, abs=0.07)
    assert all(test.winner == 1 for test in tests if test.significant)


def test_looking_ends_a_clear_test_early_and_every_arm_has_its_share():
    tests = splits_of([0.1, 0.3, 0.1], SplitDesign(looks=10), runs=50)
    assert all(test.significant and test.winner == 1 for test in tests)
    assert np.mean([test.ended_after for test in tests]) < 1_200
    for test in tests:
        assert set(test.choice[test.ended_after :]) == {1}
        assert np.bincount(test.choice[: test.ended_after]) == pytest.approx(test.ended_after / 3, rel=0.4)


def test_arms_never_rewarded_end_without_a_finding_and_by_lot():
    tests = splits_of([0.0, 0.0], FIXED, runs=50)
    assert not any(test.significant for test in tests)
    assert {test.winner for test in tests} == {0, 1}


@pytest.fixture(scope="module")
def two_arms():
    return compare(bernoulli([0.05, 0.06]), ["lints"], visitors=20_000, runs=20, seed=0, design=FIXED)


def test_without_context_a_bandit_saves_a_few_percent(two_arms):
    """The known case, 5 % against 6 %, half of 20,000 split: .0575 and .0587."""
    (bandit,) = two_arms.bandits
    assert two_arms.ab_test.mean_reward.value == pytest.approx(0.0575, abs=0.0008)
    assert bandit.mean_reward.value == pytest.approx(0.0587, abs=0.0008)
    assert 0 < bandit.gain.value / two_arms.ab_test.mean_reward.value < 0.05
    assert bandit.wins > 0.6
    assert two_arms.ended_after.value == 10_000
    assert two_arms.errors <= 0.15
    assert "one arm is best" in two_arms.summary


def test_regret_and_curves_add_up_to_the_mean(two_arms):
    for earned in (two_arms.ab_test, *two_arms.bandits):
        assert earned.regret.value == pytest.approx(20_000 * (0.06 - earned.mean_reward.value))
        assert np.mean([window.value for window in earned.curve]) == pytest.approx(earned.mean_reward.value)
    halves = [window.value for window in two_arms.ab_test.curve]
    assert max(halves[:10]) < 0.0553
    assert min(halves[10:]) > 0.0580


def test_equal_arms_are_worth_the_same_whoever_chooses():
    found = compare(bernoulli([0.1, 0.1, 0.1]), ["lints"], visitors=2_000, runs=5, seed=0, design=FIXED)
    assert found.errors == 0
    assert found.bandits[0].gain.value == pytest.approx(0)
    assert found.bandits[0].wins == 0
    assert "too close to call" in found.summary


@pytest.fixture(scope="module")
def personal():
    """Green for the young and red for the old, 0.3 against 0.1: whatever is shown to everybody earns 0.2."""
    contexts = [{"age": float(age)} for age in range(20, 80)]
    means = np.array([[0.1, 0.3] if age < 50 else [0.3, 0.1] for age in range(20, 80)])
    return Population("offers", contexts, means, fixed_actions(["red", "green"]), 0.3)


def test_with_context_a_bandit_is_clearly_better(personal):
    found = compare(personal, ["lints", "uniform"], visitors=5_000, runs=6, seed=0, design=SplitDesign())
    lints, uniform = found.bandits
    assert found.ab_test.mean_reward.value == pytest.approx(0.2, abs=0.005)
    assert lints.gain.lower > 0.05
    assert lints.wins == 1
    assert uniform.mean_reward.value == pytest.approx(0.2, abs=0.005)
    assert "depends on the visitor" in found.summary


def test_the_same_seed_gives_the_same_bits_and_another_does_not(personal):
    runs = [compare(personal, ["lints"], visitors=1_000, runs=2, seed=seed, design=FIXED) for seed in (0, 0, 1)]
    said = [msgspec.json.encode(run) for run in runs]
    assert said[0] == said[1] != said[2]


@pytest.mark.parametrize(("visitors", "runs"), [(99, 2), (100, 1)])
def test_too_little_to_say_anything_is_refused(visitors, runs):
    with pytest.raises(InvalidInput, match="at least 2 runs of 100 visitors"):
        compare(bernoulli([0.1, 0.2]), ["lints"], visitors=visitors, runs=runs, seed=0, design=FIXED)
