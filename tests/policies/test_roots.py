"""A root of the covariance learned event by event is ridge regression's posterior, and columns apart are each their own."""

from __future__ import annotations

import numpy as np
import pytest

from rewardloop.interactions import Floats
from rewardloop.policies.regressions.moments import Moments
from rewardloop.policies.regressions.roots import Roots

ONE = np.zeros(1, np.int64)


def events(rng: np.random.Generator, n: int, width: int) -> tuple[Floats, Floats]:
    """With the constant, and of very different sizes."""
    X = rng.normal(size=(n, width)) * np.geomspace(1.0, 0.05, width)
    X[:, 0] = 1.0
    return X, X @ rng.normal(size=width) + 7.0 + rng.normal(size=n)


def learned(roots: Roots, X: Floats, y: Floats, step: int) -> Roots:
    for start in range(0, len(X), step):
        part = slice(start, start + step)
        roots.add_many(np.zeros(len(X[part]), np.int64), X[part], y[part])
    roots.solve(ONE, 0.0, 1.0)
    return roots


def covariance(roots: Roots) -> Floats:
    S = roots.whole_root()
    found: Floats = S @ S.T
    return found


@pytest.mark.parametrize("step", [1, 7, 50, 3_000])
def test_joint_columns_are_ridge_regression_however_the_events_come_together(step: int) -> None:
    X, y = events(np.random.default_rng(1), 3_000, 30)
    made, A = learned(Roots(30, 99), X, y, step), X.T @ X + np.eye(30)
    np.testing.assert_allclose(made.theta, np.linalg.solve(A, X.T @ y), atol=1e-10)
    np.testing.assert_allclose(covariance(made), np.linalg.inv(A), atol=1e-12)
    made.solve(ONE, -3.0, 20.0)
    np.testing.assert_allclose(made.theta, np.linalg.solve(A, X.T @ (y + 3.0)) / 20.0, atol=1e-10)


@pytest.mark.parametrize("step", [1, 2])
def test_one_event_tells_joint_columns_and_those_apart_as_much_as_if_all_were_joint(step: int) -> None:
    X, y = events(np.random.default_rng(2), 1, 12)
    whole, split = learned(Roots(12, 12), X, y, 1), learned(Roots(12, 5), X, y, step)
    np.testing.assert_allclose(split.theta, whole.theta, atol=1e-12)
    np.testing.assert_allclose(covariance(split), covariance(whole)[:5, :5], atol=1e-12)
    np.testing.assert_allclose(split.variance, np.diag(covariance(whole))[5:], atol=1e-12)


def test_a_block_of_events_tells_joint_columns_and_those_apart_as_much_as_if_all_were_joint() -> None:
    X, y = events(np.random.default_rng(3), 100, 40)
    whole, split = learned(Roots(40, 40), X, y, 100), learned(Roots(40, 10), X, y, 100)
    np.testing.assert_allclose(split.theta, whole.theta, atol=1e-10)
    np.testing.assert_allclose(covariance(split), covariance(whole)[:10, :10], atol=1e-10)
    np.testing.assert_allclose(split.variance, np.diag(covariance(whole))[10:], atol=1e-10)


def test_columns_apart_explain_what_the_joint_ones_cannot() -> None:
    rng = np.random.default_rng(4)
    X = rng.choice([-1.0, 1.0], size=(4_000, 60))
    weights = rng.normal(size=60)
    y = X @ weights + 0.1 * rng.normal(size=4_000)
    one_by_one, blocks = learned(Roots(60, 10), X, y, 1), learned(Roots(60, 10), X, y, 500)
    for made in (one_by_one, blocks):
        assert np.abs(made.theta - weights).max() < 0.1
        assert (made.variance > 0.0).all()


def test_what_is_drawn_has_the_covariance_with_changes_pending_or_not() -> None:
    X, y = events(np.random.default_rng(5), 90, 8)
    normal, made = np.random.default_rng(6).normal(size=(7, 12)), Roots(8, 8)
    for start in range(0, 90, 9):
        learned(made, X[start : start + 9], y[start : start + 9], 1)
        np.testing.assert_allclose(made.spread(normal), made.whole_root() @ normal[:, :8].T, atol=1e-12)


def test_columns_that_come_later_were_never_met_and_are_apart_where_there_is_no_room() -> None:
    X, y = events(np.random.default_rng(7), 60, 9)
    X[:40, 6:] = 0.0
    late = learned(learned(Roots(6, 7), X[:40, :6], y[:40], 1).resized(1, 9), X[40:], y[40:], 1)
    early = learned(Roots(9, 7), X, y, 1)
    assert late.joint == 7
    np.testing.assert_allclose(late.theta, early.theta, atol=1e-10)
    np.testing.assert_allclose(covariance(late), covariance(early), atol=1e-10)
    np.testing.assert_allclose(late.variance, early.variance, atol=1e-10)


def test_what_is_forgotten_counts_less_and_the_prior_stays() -> None:
    X, y = events(np.random.default_rng(8), 70, 6)
    made, A = learned(Roots(6, 6), X, y, 1), 0.25 * X.T @ X + np.eye(6)
    made.forget(0.25)
    made.solve(ONE, 0.0, 1.0)
    np.testing.assert_allclose(made.theta, np.linalg.solve(A, 0.25 * X.T @ y), atol=1e-9)
    np.testing.assert_allclose(covariance(made), np.linalg.inv(A), atol=1e-10)
    apart = learned(Roots(2, 1), np.array([[0.0, 2.0]]), np.array([1.0]), 1)
    apart.forget(0.5)
    apart.solve(ONE, 0.0, 1.0)
    np.testing.assert_allclose((apart.variance[0], apart.theta[1]), (1 / 3, 1 / 3), atol=1e-12)


def test_sums_of_earlier_versions_become_a_root_that_knows_the_same() -> None:
    X, y = events(np.random.default_rng(9), 200, 5)
    sums = Moments(1, 5)
    sums.add_many(np.zeros(200, np.int64), X, y)
    sums.solve(ONE, 1.0, 3.0)
    made = Roots.of(sums, 9)
    made.solve(ONE, 1.0, 3.0)
    np.testing.assert_allclose(made.theta, sums.theta[0], atol=1e-12)
    np.testing.assert_allclose(covariance(made), sums.inverse[0], atol=1e-12)
