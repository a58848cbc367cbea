from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewardloop.policies.native.posterior import N_DRAWS, Thompson, UpperConfidence

SEEDS = st.integers(0, 2**32)


@given(SEEDS, st.integers(1, 9), st.floats(0.001, 10))
def test_the_pmf_is_how_often_each_arm_has_the_best_draw(seed: int, n_arms: int, v: float) -> None:
    rng = np.random.default_rng(seed)
    mean, sd = rng.normal(size=(40, n_arms)), rng.exponential(size=(40, n_arms))
    rule = Thompson(v, seed, n_arms)

    won = (mean[:, None] + rule._draws * sd[:, None]).argmax(axis=2)

    expected = np.array([np.bincount(row, minlength=n_arms) for row in won]) / N_DRAWS
    single = [rule.pmf(m, s) for m, s in zip(mean.tolist(), sd.tolist(), strict=True)]
    np.testing.assert_array_equal(single, expected)
    assert {type(p) for pmf in single for p in pmf} == {float}  # the log takes no other
    np.testing.assert_array_equal(rule.pmf_many(mean, sd), expected)


def test_the_share_is_near_the_probability_that_it_estimates() -> None:
    """Two arms: P = Φ((m₁ − m₂) / √(s₁² + s₂²)), here Φ(1) = .8413. 64 stratified draws: within .07."""
    shares = [Thompson(1.0, seed, 2).pmf([1.0, 0.0], [0.6, 0.8])[0] for seed in range(50)]

    assert shares == pytest.approx([0.8413] * 50, abs=0.07)
    assert np.mean(shares) == pytest.approx(0.8413, abs=0.01)


def test_an_arm_added_leaves_the_draws_of_the_others() -> None:
    np.testing.assert_array_equal(Thompson(0.1, 3, 4)._draws, Thompson(0.1, 3, 5)._draws[:, :4])
    assert not np.array_equal(Thompson(0.1, 3, 4)._draws, Thompson(0.1, 4, 4)._draws)


def test_the_first_of_equal_arms_wins_alone_or_among_many() -> None:
    rule, mean, sd = Thompson(v=0.0, seed=0, n_arms=3), np.array([[0.5, 0.5, 0.5], [0.2, 0.5, 0.5]]), np.ones((2, 3))
    expected = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    assert rule.pmf_many(mean, sd).tolist() == expected
    assert [rule.pmf(m, s) for m, s in zip(mean.tolist(), sd.tolist(), strict=True)] == expected


def test_the_upper_bound_decides_and_equals_share() -> None:
    rule = UpperConfidence(a=2.0)
    mean, sd = (
        np.array([[0.5, 0.3, 0.1], [0.5, 0.3, 0.1], [0.0, 0.0, 0.0]]),
        np.array([[0.0, 0.2, 0.1], [0.0, 0.1, 0.2], [1.0, 1.0, 1.0]]),
    )

    expected = [[0.0, 1.0, 0.0], [1 / 3, 1 / 3, 1 / 3], [1 / 3, 1 / 3, 1 / 3]]

    np.testing.assert_allclose(rule.pmf_many(mean, sd), expected)
    np.testing.assert_allclose([rule.pmf(m, s) for m, s in zip(mean.tolist(), sd.tolist(), strict=True)], expected)
