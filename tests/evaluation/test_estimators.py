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
from rewardloop.evaluation.estimates import by_estimator
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
        assert ESTIMATORS[name](as_logged(log.reward)).mean() == pytest.approx(np.mean(rewards), abs=1e-9)


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


def test_calibration_removes_what_weights_off_their_mean_explain():
    """A constant residual is all explained: where the weights average 1.5, IPS counts every residual half as much again."""
    weight = np.tile([0.0, 3.0], 500)
    events = Sample(weight, np.ones(1000), np.full(1000, 0.5), np.full(1000, 0.5))
    assert dr(events).mean() == pytest.approx(1.25)
    assert cdr(events).mean() == pytest.approx(1.0, abs=1e-4)


def test_a_handful_of_events_does_not_overrule_the_reward_model():
    """The same correction, 1/10 of the events weighing 10: believed of 1,000 events, hardly of ten."""
    found = {}
    for n in (10, 1000):
        weight = np.tile([10.0, *np.zeros(9)], n // 10)
        found[n] = cdr(Sample(weight, np.ones(n), np.full(n, 0.2), np.full(n, 0.2)))
    assert found[10].mean() < 0.3
    assert found[1000].mean() > 0.95
    assert found[10].std() > 0


def test_the_interval_of_the_recommended_estimate_is_the_one_that_covers():
    generator = np.random.default_rng(0)
    events = Sample(generator.exponential(size=200), *generator.random((3, 200)))
    found = by_estimator(events, 0.95, (0.0, 1.0))
    assert (found["cdr"].lower, found["cdr"].upper) == (found["cressie_read"].lower, found["cressie_read"].upper)
    assert found["cdr"].value == pytest.approx(cdr(events).mean())


def test_calibration_is_the_cressie_read_average_of_the_residuals():
    """Σ p·w·(r − q) with p = (1 + c·(w − w̄))/(n + 1), the unseen event among the moments: the long way."""
    generator = np.random.default_rng(0)
    for scale in (0.7, 1.4):
        events = Sample(scale * generator.exponential(size=50), *generator.random((3, 50)))
        unseen = 4 * events.weight.max() if events.weight.mean() < 1 else 0.0
        w = np.append(events.weight, unseen)
        p = (1 + (1 - w.mean()) / w.var() * (w - w.mean())) / 51
        assert p @ w == pytest.approx(1.0)
        residual = p[:50] @ (events.weight * (events.reward - events.fitted))
        ess = events.weight.sum() ** 2 / (events.weight @ events.weight)
        kept = 1 - (1 - ess / 50) / (1 + (ess / 7) ** 2)
        assert cdr(events).mean() == pytest.approx(events.direct.mean() + kept * residual)


@pytest.mark.parametrize("estimator", [clipped_ips, switch_dr, dros])
def test_a_shrinking_estimator_tames_weights_whose_residuals_contradict_each_other(estimator):
    """Two events in 400 weigh 500 each; one paid 1 more than was expected, the other 1 less: noise, and nothing to lose."""
    heavy = np.zeros(400)
    heavy[[7, 8]] = 1.0, -1.0
    events = Sample(np.where(heavy, 500.0, 1.0), heavy, np.zeros(400), np.zeros(400))
    assert dr(events).var() > 1000
    assert estimator(events).var() < 10


def test_weights_that_are_alike_are_not_shrunk():
    generator = np.random.default_rng(1)
    events = Sample(np.full(300, 0.9), *generator.random((3, 300)) + 0.2)
    assert switch_dr(events).mean() == pytest.approx(dr(events).mean())
    assert cdr(events).tobytes() == dr(events).tobytes()
    assert clipped_ips(events).mean() == pytest.approx(ips(events).mean())
