from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import chisquare

from rewardloop.errors import CorruptModel, InvalidInput
from rewardloop.ids import draws, uniform
from rewardloop.policies.exploration import sample, sample_rows, serve_pmf, serve_pmf_many, serve_rows

FLOORS = st.floats(0, 1)
WEIGHTS = st.one_of(st.floats(0, 1), st.floats(-1e-9, 1e9), st.sampled_from([0.0, -5.0, 5e-324, 1.0]))


@st.composite
def pmfs(draw: Callable[..., Any]) -> list[float]:
    """What policies give: unnormalised, negative in places, tiny or huge, but with something positive."""
    weights: list[float] = draw(st.lists(WEIGHTS, min_size=1, max_size=40))
    return weights if max(weights) > 0 else [*weights, 1.0]


@st.composite
def exclusions(draw: Callable[..., Any], n: int) -> list[int]:
    """Any actions, repeated at will, but not all."""
    spared = draw(st.integers(0, n - 1))
    return [action for action in draw(st.lists(st.integers(0, n - 1), max_size=50)) if action != spared]


@given(st.data(), pmfs(), FLOORS)
def test_the_served_pmf_sums_to_one_and_keeps_the_floor_of_every_allowed_action(
    data: st.DataObject, pmf: list[float], floor: float
) -> None:
    excluded = data.draw(exclusions(len(pmf)))

    served = serve_pmf(pmf, floor=floor, excluded=excluded)

    assert math.fsum(served) == pytest.approx(1.0, abs=1e-12)
    assert len(served) == len(pmf)
    least = floor / (len(pmf) - len(set(excluded)))
    assert all(p == 0.0 if action in excluded else p >= least - 1e-15 for action, p in enumerate(served))


@given(pmfs(), FLOORS)
def test_more_probable_before_is_no_less_probable_after(pmf: list[float], floor: float) -> None:
    served = serve_pmf(pmf, floor=floor)

    order = np.argsort(pmf, kind="stable")
    assert (np.diff(np.array(served)[order]) >= -1e-15).all()


@given(st.lists(pmfs(), max_size=12), FLOORS)
def test_many_are_served_as_one_by_one(rows: list[list[float]], floor: float) -> None:
    flat = np.array([p for row in rows for p in row])
    offsets = np.cumsum([0, *map(len, rows)])

    many = serve_pmf_many(flat, offsets, floor)

    np.testing.assert_allclose(many, [p for row in rows for p in serve_pmf(row, floor=floor)], rtol=1e-12, atol=1e-15)


@given(st.data(), st.integers(1, 40), FLOORS)
def test_rows_are_served_as_one_by_one_to_the_bit(data: st.DataObject, width: int, floor: float) -> None:
    row = st.lists(WEIGHTS, min_size=width, max_size=width).filter(lambda weights: max(weights) > 0)
    rows = data.draw(st.lists(row, min_size=1, max_size=6))

    assert serve_rows(np.array(rows), floor=floor).tolist() == [serve_pmf(row, floor=floor) for row in rows]


@given(
    st.integers(1, 12).flatmap(lambda k: st.lists(st.lists(st.floats(0, 1), min_size=k, max_size=k), min_size=1, max_size=5)),
    st.lists(st.floats(0, 1, exclude_max=True), min_size=5, max_size=5),
)
def test_rows_are_sampled_as_each_alone(rows: list[list[float]], us: list[float]) -> None:
    """Whatever the rows sum to: above u, below it, or to nothing."""
    assume(all(sum(row) > 0 for row in rows))
    us = us[: len(rows)]
    assert sample_rows(np.array(rows), np.array(us)).tolist() == [sample(row, u) for row, u in zip(rows, us, strict=True)]


@pytest.mark.parametrize("bad", [[0.0, -1.0], [math.nan, 1.0], [math.inf, 1.0], [-math.inf, 1.0], [1e300, 1e300]])
def test_a_row_that_is_no_distribution_is_refused(bad: list[float]) -> None:
    with pytest.raises(CorruptModel, match="Expected a distribution over 2 actions"):
        serve_rows(np.array([[0.5, 0.5], bad]), floor=0.1)


@given(st.data(), st.lists(pmfs(), min_size=1, max_size=6), FLOORS)
def test_many_with_exclusions_are_served_as_one_by_one(data: st.DataObject, rows: list[list[float]], floor: float) -> None:
    excluded = [data.draw(exclusions(len(row))) for row in rows]
    allowed = np.array([action not in out for row, out in zip(rows, excluded, strict=True) for action in range(len(row))])

    many = serve_pmf_many(np.concatenate(rows), np.cumsum([0, *map(len, rows)]), floor, allowed)

    single = [p for row, out in zip(rows, excluded, strict=True) for p in serve_pmf(row, floor=floor, excluded=out)]
    np.testing.assert_allclose(many, single, rtol=1e-12, atol=1e-15)


def test_the_allowed_share_alike_where_the_policy_gives_them_nothing() -> None:
    assert serve_pmf([1.0, 0.0, 0.0], floor=0.02, excluded=[0]) == [0.0, 0.5, 0.5]


@pytest.mark.parametrize(
    ("pmf", "excluded", "best"),
    [([0.3, 0.4, 0.3], [], 1), ([0.3, 0.4, 0.3], [1], 0), ([-5.0, 1.0, 1.0], [], 1), ([1.0, 0.0, 0.0], [0], 1)],
)
def test_without_exploration_the_first_of_the_likeliest_has_it_all(pmf: list[float], excluded: list[int], best: int) -> None:
    served = serve_pmf(pmf, floor=0.5, excluded=excluded, explore=False)

    assert served == [float(action == best) for action in range(3)]


@pytest.mark.parametrize(
    "bad", [[math.nan, 1.0], [1.0, math.nan], [math.inf, 0.0], [-math.inf, 1.0], [0.0, 0.0], [-1.0, 0.0], [1e308, 1e308]]
)
def test_numbers_that_are_no_distribution_are_the_models_fault(bad: list[float]) -> None:
    with pytest.raises(CorruptModel, match="Expected a distribution over 2 actions"):
        serve_pmf(bad, floor=0.02)
    with pytest.raises(CorruptModel, match="in row 1"):
        serve_pmf_many(np.array([0.5, 0.5, *bad]), np.array([0, 2, 4]), 0.02)


@pytest.mark.parametrize(
    ("excluded", "expected"), [([0, 1, 1], "at least one action"), ([2], "between 0 and 1"), ([-1], "between 0 and 1")]
)
def test_exclusions_that_leave_nothing_or_name_nothing_are_refused(excluded: list[int], expected: str) -> None:
    with pytest.raises(InvalidInput, match=expected):
        serve_pmf([0.5, 0.5], floor=0.02, excluded=excluded)


def test_an_event_that_allows_nothing_is_refused_by_its_row() -> None:
    with pytest.raises(InvalidInput, match="row 1"):
        serve_pmf_many(np.array([0.5, 0.5, 0.5, 0.5]), np.array([0, 2, 4]), 0.02, np.array([True, True, False, False]))


@given(pmfs(), st.floats(0, 1, exclude_max=True))
def test_what_is_sampled_had_a_probability(pmf: list[float], u: float) -> None:
    served = serve_pmf(pmf, floor=0.0)

    assert served[sample(served, u)] > 0


@given(st.integers(1, 1000))
def test_rounding_at_the_end_of_the_line_samples_the_last_action_that_may_be(n: int) -> None:
    pmf = [1.0 / n] * n + [0.0]

    assert 0 <= sample(pmf, 1.0 - 2.0**-53) < n


def test_actions_come_as_often_as_their_probability_says() -> None:
    """χ² over 10,000 draws of the platform's own numbers; one seed, a false alarm once in a thousand."""
    served = serve_pmf([0.6, 0.25, 0.0, 0.15], floor=0.1)

    counts = np.zeros(4)
    for event in range(10_000):
        counts[sample(served, uniform(draws("offers", f"event-{event}").seed))] += 1

    assert chisquare(counts, 10_000 * np.array(served)).pvalue > 0.001
