import math
from dataclasses import replace

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
    normal,
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
    assert found[10].mean() < 0.45
    assert found[1000].mean() > 0.95
    assert found[10].std() > 0


def test_the_interval_of_the_recommended_estimate_allows_for_what_was_not_seen():
    """The rule of three: a share −log(.05)/ess of what the policy does may earn 0, or 1."""
    generator = np.random.default_rng(0)
    right = generator.random(2000) < 0.5
    q = np.where(right, 0.98, 0.02)
    events = Sample(generator.gamma(0.5, 2, size=2000), (generator.random(2000) < q).astype(float), np.full(2000, 0.5), q)
    found = by_estimator(events, 0.95, (0.0, 1.0))
    spread = normal(cdr(events), 0.95)
    assert found["cdr"].value == pytest.approx(cdr(events).mean())
    assert spread.lower - found["cdr"].lower == pytest.approx(-math.log(0.05) / found["cdr"].ess)
    assert found["cdr"].upper - found["cdr"].lower < found["cressie_read"].upper - found["cressie_read"].lower


@pytest.mark.parametrize("heavy", [0, 1])
def test_where_support_is_thin_it_is_as_wide_as_the_one_that_covers(heavy):
    """400 events that weigh .6 and earned what was expected: four tenths of the policy's choices are unseen. And one heavy one."""
    weight = np.append(np.full(400, 0.6), [490.0] * heavy)
    n = len(weight)
    found = by_estimator(Sample(weight, np.ones(n), np.ones(n), np.ones(n)), 0.95, (0.0, 1.0))["cdr"]
    assert found.value == pytest.approx(1.0)
    assert found.lower < 0.7


def test_heavy_events_are_believed_as_far_as_they_agree():
    """Light events say .2; 40 heavy ones, half of the policy's choices, say .8, or on average as much but each something else."""
    weight = np.append(np.full(960, 0.5), np.full(40, 12.5))
    told = {}
    for name, spread in (("agree", 0.01), ("differ", 8.0)):
        noise = np.tile([-spread, spread], 20)
        reward = np.append(np.full(960, 0.2), 0.8 + noise)
        told[name] = cdr(Sample(weight, reward, np.full(1000, 0.2), np.full(1000, 0.2))).mean()
    whole = dr(Sample(weight, reward, np.full(1000, 0.2), np.full(1000, 0.2))).mean()
    assert told["agree"] == pytest.approx(whole, abs=0.04)
    assert 0.2 < told["differ"] < told["agree"] - 0.05


def known(weight):
    ess = weight.sum() ** 2 / (weight @ weight)
    return 1 - (1 - ess / len(weight)) / (1 + (ess / 25) ** 2)


def test_calibration_is_the_cressie_read_average_of_the_residuals_as_far_as_it_is_believed():
    """Σ p·w·(r − q) with p = (1 + c·(w − w̄))/(n + 1), the unseen event among the moments: the long way."""
    generator = np.random.default_rng(0)
    for scale in (0.7, 1.4):
        events = Sample(scale * generator.exponential(size=50), *generator.random((3, 50)))
        unseen = 4 * events.weight.max() if events.weight.mean() < 1 else 0.0
        w = np.append(events.weight, unseen)
        p = (1 + (1 - w.mean()) / w.var() * (w - w.mean())) / 51
        assert p @ w == pytest.approx(1.0)
        error = events.reward - events.fitted
        whole = p[:50] @ (events.weight * error)
        slope = np.cov(w, np.append(events.weight * error, 0.0))[0, 1] / w.var(ddof=1)
        value, below = 0.0, None
        for cap in (2.0, 10.0, None):
            cut = np.minimum(events.weight, cap) if cap else events.weight
            mean = (cut @ error) / cut.sum() if cap else whole
            own = cut * (error - mean) / cut.mean() if cap else events.weight * error - slope * events.weight
            share = 1.0
            if below is not None:
                variance = (own - below).var() / 50
                share = (mean - value) ** 2 / ((mean - value) ** 2 + 16 * variance)
            value, below = value + known(cut) * share * (mean - value), own
        assert cdr(events).mean() == pytest.approx(events.direct.mean() + value)


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
    alike = replace(events, weight=np.ones(300))
    assert cdr(alike).mean() == pytest.approx(dr(alike).mean(), rel=1e-14)
    assert clipped_ips(events).mean() == pytest.approx(ips(events).mean())
