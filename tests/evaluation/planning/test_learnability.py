"""Signal is claimed where it is and hardly ever where it is not; the three policies' values are the known ones."""

from __future__ import annotations

import numpy as np
import pytest

import bandit_worlds as world
from observed_logs import clean_interactions
from rewardloop.errors import InvalidInput
from rewardloop.evaluation.planning.learnability import learnability


def test_on_the_digits_the_values_are_the_true_ones() -> None:
    log, _ = world.log(4_000, world.policy(0.5, 0.5), np.random.default_rng(1))
    found = learnability(log)
    assert found.learnable
    assert found.sentence.startswith("There is signal")
    assert found.uniform.lower < 0.1 < found.uniform.upper
    assert found.best_fixed.lower < 0.105 < found.best_fixed.upper
    assert found.fitted.value > 0.8
    assert found.over_best_fixed.value == pytest.approx(found.fitted.value - found.best_fixed.value)
    assert found.over_logged.value == pytest.approx(found.fitted.value - log.reward.mean())


def test_without_signal_it_is_claimed_in_few_logs() -> None:
    """At most 2.5 % nominally; 200 logs."""
    logs = (clean_interactions(np.random.default_rng(seed), n=800, signal=0.0) for seed in range(200))
    assert sum(learnability(log).learnable for log in logs) <= 8


def test_no_signal_is_said_with_what_would_have_been_seen() -> None:
    found = learnability(clean_interactions(np.random.default_rng(3), n=800, floor=1.0, signal=0.0))
    assert not found.learnable
    assert found.sentence.startswith("No signal seen")
    assert f"a gain of {found.detectable:.2g} or more" in found.sentence


def test_the_best_arm_is_named_and_earns_what_it_earns() -> None:
    generator = np.random.default_rng(5)
    action = generator.integers(3, size=3_000)
    reward = (generator.random(3_000) < np.array([0.2, 0.3, 0.6])[action]).astype(float)
    found = learnability(world.interactions(np.full((3_000, 3), 1 / 3), action, reward))
    assert found.best_arm == "2"
    assert found.best_fixed.lower < 0.6 < found.best_fixed.upper
    assert found.uniform.value == pytest.approx(1.1 / 3, abs=0.03)
    assert not found.learnable
    assert found.sentence == "The fitted policy is always `2`: the context makes no difference to it."


def test_a_log_without_exploration_cannot_tell() -> None:
    generator = np.random.default_rng(5)
    pmf = np.tile([0.999, 0.0005, 0.0005], (500, 1))
    found = learnability(world.interactions(pmf, np.zeros(500, int), generator.random(500)))
    assert not found.learnable


def test_only_the_newest_are_looked_at_and_the_others_counted() -> None:
    found = learnability(clean_interactions(np.random.default_rng(2), n=600), newest=400)
    assert (found.n, found.n_older) == (400, 200)


def test_one_event_is_refused() -> None:
    with pytest.raises(InvalidInput, match="at least 2 usable events, got 1"):
        learnability(clean_interactions(np.random.default_rng(2), n=1))
