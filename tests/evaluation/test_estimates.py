import dataclasses

import numpy as np
import pytest

import bandit_worlds as worlds
from rewardloop.errors import InvalidInput
from rewardloop.evaluation import estimate_all
from rewardloop.evaluation.estimates import ALL, MRDR
from rewardloop.evaluation.reward_models.reward_model import fit_predict

CANDIDATE = worlds.policy(0.85, 0.02)
LOG, (PMF,) = worlds.log(2000, worlds.policy(0.7, 0.5), np.random.default_rng(0), CANDIDATE)


def estimates(log=LOG, pmf=PMF):
    return estimate_all(log, pmf, level=0.95, reward_range=(0.0, 1.0), seed=0)


def test_every_estimator_is_there_and_near_the_truth():
    """A reward model alone is off by .08 here, which is why nobody should trust it alone."""
    found = estimates()
    assert set(found) == {*ALL, MRDR}
    for name, estimate in found.items():
        assert estimate.lower < estimate.value < estimate.upper
        off = 0.12 if name == "dm" else 0.04
        assert estimate.value == pytest.approx(CANDIDATE.value, abs=off), name


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


def test_mrdr_is_as_near_the_truth_as_dr_and_no_wider():
    """40 logs of 1,000: what it is for is the spread."""
    value, spread = [], []
    for seed in range(40):
        log, (pmf,) = worlds.log(1000, worlds.policy(0.7, 0.5), np.random.default_rng(seed), CANDIDATE)
        found = estimate_all(log, pmf, level=0.95, reward_range=None, seed=seed)
        robust, plain = found["mrdr"], found["dr"]
        value.append(robust.value)
        spread.append((robust.upper - robust.value) / (plain.upper - plain.value))
    assert np.mean(value) == pytest.approx(CANDIDATE.value, abs=0.015)
    assert np.mean(spread) <= 1.1


def test_the_model_of_mrdr_is_fit_where_the_policy_goes():
    """Arm 0 pays by x, and the policy takes it where x is large."""
    generator = np.random.default_rng(0)
    x = generator.random(400)
    log = worlds.interactions(np.full((400, 1), 1.0), np.zeros(400, dtype=int), x**4, contexts=[{"x": float(v)} for v in x])
    high = fit_predict(log, 0, weight=(x > 0.8) * 5.0)
    plain = fit_predict(log, 0)
    assert np.abs(high - x**4)[x > 0.8].mean() < 0.7 * np.abs(plain - x**4)[x > 0.8].mean()
