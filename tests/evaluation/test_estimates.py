import dataclasses

import numpy as np
import pytest

import bandit_worlds as worlds
from rewardloop.errors import InvalidInput
from rewardloop.evaluation import ESTIMATORS, estimate_all

CANDIDATE = worlds.policy(0.85, 0.02)
LOG, (PMF,) = worlds.log(2000, worlds.policy(0.7, 0.5), np.random.default_rng(0), CANDIDATE)


def estimates(log=LOG, pmf=PMF):
    return estimate_all(log, pmf, level=0.95, reward_range=(0.0, 1.0), seed=0)


def test_every_estimator_is_there_and_near_the_truth():
    found = estimates()
    assert set(found) == {*ESTIMATORS, "cressie_read"}
    for name, estimate in found.items():
        assert estimate.lower < estimate.value < estimate.upper
        assert estimate.value == pytest.approx(CANDIDATE.value, abs=0.12), name


def test_the_same_seed_gives_the_same_bits():
    assert estimates() == estimates()


def test_events_that_cannot_be_used_are_left_out():
    faulty = dataclasses.replace(LOG, reward=np.where(np.arange(2000) < 500, np.nan, LOG.reward))
    usable = np.arange(2000) >= 500
    assert estimates(faulty) == estimates(LOG.take(usable), PMF[np.repeat(usable, 10)])


def test_one_event_and_no_distribution_are_refused():
    with pytest.raises(InvalidInput, match="at least two usable events, got 1"):
        estimates(LOG.take(np.arange(1)), PMF[:10])
    with pytest.raises(InvalidInput, match="sum to 1"):
        estimates(LOG, PMF * 2)


def test_estimators_without_an_answer_are_left_out():
    """Nothing the policy does was ever logged."""
    log = worlds.interactions(np.tile([1.0, 0.0], (20, 1)), np.zeros(20, dtype=int), np.linspace(0, 1, 20))
    found = estimates(log, np.tile([0.0, 1.0], 20))
    assert "snips" not in found
    assert np.isfinite([value for estimate in found.values() for value in (estimate.value, estimate.lower, estimate.upper)]).all()
