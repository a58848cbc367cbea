import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bandit_worlds import interactions
from rewardloop.evaluation import (
    ESTIMATORS,
    Sample,
    as_logged,
    cdr,
    clipped_ips,
    dm,
    dr,
    dros,
    ips,
    sample,
    sndr,
    snips,
    switch_dr,
)
from rewardloop.testing.estimator import EstimatorContract


class TestIps(EstimatorContract):
    estimator = staticmethod(ips)
    shift_equivariant = False


class TestSnips(EstimatorContract):
    estimator = staticmethod(snips)


class TestDm(EstimatorContract):
    estimator = staticmethod(dm)
    exact_on_policy = False


class TestDr(EstimatorContract):
    estimator = staticmethod(dr)


class TestSndr(EstimatorContract):
    estimator = staticmethod(sndr)


class TestCdr(EstimatorContract):
    estimator = staticmethod(cdr)


class TestClippedIps(EstimatorContract):
    estimator = staticmethod(clipped_ips)
    shift_equivariant = False


class TestSwitchDr(EstimatorContract):
    estimator = staticmethod(switch_dr)


class TestDros(EstimatorContract):
    estimator = staticmethod(dros)
    exact_on_policy = False


LOG = interactions([[0.5, 0.5], [0.8, 0.2], [0.25, 0.75]], action=[0, 1, 1], reward=[1.0, 3.0, 2.0])
TARGET = np.array([1.0, 0.0, 0.5, 0.5, 0.0, 1.0])
Q = np.array([0.5, 1.0, 1.0, 2.0, 0.0, 1.5])


def test_a_sample_is_weights_and_what_the_model_expects():
    events = sample(LOG, TARGET, Q)
    np.testing.assert_allclose(events.weight, [2.0, 2.5, 4 / 3])
    np.testing.assert_allclose(events.direct, [0.5, 1.5, 1.5])
    np.testing.assert_allclose(events.fitted, [0.5, 2.0, 1.5])


def test_each_estimator_against_its_formula_worked_by_hand():
    events = sample(LOG, TARGET, Q)
    total = 2.0 + 2.5 + 4 / 3
    assert ips(events).mean() == pytest.approx((2.0 + 7.5 + 8 / 3) / 3)
    assert snips(events).mean() == pytest.approx((2.0 + 7.5 + 8 / 3) / total)
    assert dm(events).mean() == pytest.approx(3.5 / 3)
    assert dr(events).mean() == pytest.approx((3.5 + 2.0 * 0.5 + 2.5 * 1.0 + 4 / 3 * 0.5) / 3)
    assert sndr(events).mean() == pytest.approx(3.5 / 3 + (2.0 * 0.5 + 2.5 * 1.0 + 4 / 3 * 0.5) / total)


def test_events_may_offer_different_numbers_of_actions():
    ragged = interactions([[0.5, 0.5], [0.8, 0.2]], action=[0, 1], reward=[1.0, 3.0])
    ragged = type(ragged)(**{name: getattr(ragged, name) for name in ragged.__slots__} | {"offsets": np.array([0, 1, 4])})
    pmf = np.array([1.0, 0.2, 0.3, 0.5])
    np.testing.assert_allclose(sample(ragged, pmf, np.ones(4)).direct, [1.0, 1.0])


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=20))
def test_the_log_seen_by_itself_gives_its_mean_reward(rewards):
    log = interactions([[0.3, 0.7]] * len(rewards), action=[1] * len(rewards), reward=rewards)
    for name in ("ips", "snips", "dr", "sndr"):
        assert ESTIMATORS[name](as_logged(log)).mean() == pytest.approx(np.mean(rewards), abs=1e-9)


@given(
    st.lists(st.tuples(st.floats(0.01, 1), st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=20).filter(
        lambda events: any(target > 1e-3 for _, target, _ in events)
    )
)
def test_snips_stays_within_the_rewards_that_were_seen(events):
    logged, target, reward = (np.array(column) for column in zip(*events, strict=True))
    value = snips(Sample(target / logged, reward, np.zeros(len(reward)), np.zeros(len(reward)))).mean()
    assert reward.min() - 1e-9 <= value <= reward.max() + 1e-9


def test_nothing_observed_is_not_a_number_rather_than_a_perfect_zero():
    nothing = Sample(np.zeros(3), np.ones(3), np.ones(3), np.ones(3))
    assert np.isnan(snips(nothing)).all()
    assert np.isnan(sndr(nothing)).all()
