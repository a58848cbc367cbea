from __future__ import annotations

import numpy as np
import pytest

from rewardloop.interactions import Floats, Ints
from rewardloop.policies.products import product
from rewardloop.policies.regressions.moments import PRIOR, Moments

RNG = np.random.default_rng(0)
N, D, K = 3_000, 6, 3
X = np.column_stack([np.ones(N), RNG.normal(size=(N, D - 1))])
ARMS = RNG.integers(K, size=N)
REWARDS = RNG.normal(size=N)


def learned(arms: Ints = ARMS, X: Floats = X, rewards: Floats = REWARDS, low: float = 0.0, span: float = 1.0) -> Moments:
    moments = Moments(K, X.shape[1])
    moments.add_many(arms, X, rewards)
    moments.solve(arms, low, span)
    return moments


def test_the_posterior_is_ridge_regressions() -> None:
    mean, sd = learned().posterior(X[0])

    for arm in range(K):
        own = np.flatnonzero(np.equal(ARMS, arm))
        A = PRIOR * np.eye(D) + X[own].T @ X[own]
        assert mean[arm] == pytest.approx(X[0] @ np.linalg.solve(A, X[own].T @ REWARDS[own]), abs=1e-12)
        assert sd[arm] == pytest.approx(np.sqrt(X[0] @ np.linalg.solve(A, X[0])), abs=1e-12)


def test_events_one_by_one_come_to_the_same_as_all_at_once() -> None:
    one_by_one = Moments(K, D)
    for arm, x, reward in zip(ARMS.tolist(), X, REWARDS.tolist(), strict=True):
        one_by_one.add(arm, x, reward)
    one_by_one.solve(ARMS, 0.0, 1.0)

    np.testing.assert_allclose(one_by_one.posterior_many(X[:50]), learned().posterior_many(X[:50]), atol=1e-10)


def test_inverses_are_computed_afresh_before_rounding_adds_up() -> None:
    moments = Moments(1, D)
    for x in X[:1_500]:
        moments.add(0, x, 1.0)

    assert moments.n_updates[0] == 500


def test_one_event_touches_its_own_arm_alone() -> None:
    moments = learned()
    before = moments.inverse.copy(), moments.theta.copy()
    moments.add_many(np.array([1]), X[:1], np.array([5.0]))
    moments.solve(np.array([1]), 0.0, 1.0)

    for old, new in zip(before, (moments.inverse, moments.theta), strict=True):
        assert np.array_equal(old[[0, 2]], new[[0, 2]])
        assert not np.array_equal(old[1], new[1])


def test_rewards_may_change_their_unit_after_the_fact() -> None:
    late = learned()
    late.solve(np.arange(K), low=-4.0, span=16.0)

    np.testing.assert_allclose(late.theta, learned(rewards=(REWARDS + 4.0) / 16.0).theta, atol=1e-12)


def test_rewards_that_never_differed_are_one_half() -> None:
    same = learned(rewards=np.full(N, 7.0), low=7.0, span=0.0)

    np.testing.assert_allclose(same.theta, learned(rewards=np.full(N, 0.5)).theta, atol=1e-12)


def test_new_columns_and_arms_stand_at_the_prior_and_leave_the_others_alone() -> None:
    moments = learned()
    wider = moments.resized(K + 1, D + 2)
    mean, sd = wider.posterior(np.append(X[0], [0.0, 0.0]))
    old_mean, old_sd = moments.posterior(X[0])

    np.testing.assert_allclose(mean[:K], old_mean, atol=1e-15)
    np.testing.assert_allclose(sd[:K], old_sd, atol=1e-15)
    assert (mean[K], sd[K]) == pytest.approx((0.0, np.linalg.norm(X[0]) / np.sqrt(PRIOR)))
    assert wider.posterior(np.eye(D + 2)[D])[1] == pytest.approx(np.full(K + 1, 1 / np.sqrt(PRIOR)))


def test_a_wider_design_learns_as_if_it_had_been_wide_from_the_start() -> None:
    early, late = X.copy(), X
    early[:1_000, -1] = 0.0
    grown = learned(ARMS[:1_000], early[:1_000, :-1], REWARDS[:1_000]).resized(K, D)
    grown.add_many(ARMS[1_000:], late[1_000:], REWARDS[1_000:])
    grown.solve(ARMS, 0.0, 1.0)

    np.testing.assert_allclose(grown.theta, learned(X=early).theta, atol=1e-12)


@pytest.mark.parametrize("n", [1, 500, 4_369, 4_370, 10_000])
def test_a_product_in_parts_is_the_product(n: int) -> None:
    rows, matrix = RNG.normal(size=(n, 6)), RNG.normal(size=(6, 20))

    np.testing.assert_allclose(product(rows, matrix), rows @ matrix, atol=1e-12)


def test_a_large_matrix_is_multiplied_at_once() -> None:
    rows, matrix = RNG.normal(size=(3, 500)), RNG.normal(size=(500, 200))

    assert np.array_equal(product(rows, matrix), rows @ matrix)


def test_a_wide_model_has_one_posterior_for_one_and_for_many() -> None:
    moments = Moments(10, 200)
    rows = RNG.normal(size=(40, 200))
    moments.add_many(RNG.integers(10, size=40), rows, RNG.normal(size=40))
    moments.solve(np.arange(10), 0.0, 1.0)

    np.testing.assert_allclose([moments.posterior(x) for x in rows], np.array(moments.posterior_many(rows)).swapaxes(0, 1))
