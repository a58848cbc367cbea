from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewardloop.features import Features
from rewardloop.interactions import Floats
from rewardloop.policies.design.columns import Columns
from rewardloop.policies.design.design import Design
from rewardloop.policies.design.folding import Folding
from rewardloop.policies.regressions.moments import Moments
from rewardloop.policies.scaling import Scaler

RNG = np.random.default_rng(0)


def design(contexts: list[Features]) -> Design:
    columns, scaler = Columns.new(limit=256), Scaler()
    columns.grow(contexts)
    scaler.update(contexts)
    return Design(columns, scaler)


def contexts(n_numbers: int, n: int = 200) -> list[Features]:
    return [{f"x{i}": float(value) for i, value in enumerate(row)} for row in RNG.normal(size=(n, n_numbers))]


def folding_of(made: Design) -> Folding:
    assert made.folding is not None
    return made.folding


@given(n_numbers=st.integers(1, 12), seed=st.integers(0, 1_000))
def test_a_folded_form_has_the_same_value(n_numbers: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    made = design(contexts(n_numbers, 5))
    folding, root = folding_of(made), rng.normal(size=(made.width, made.width))
    M: Floats = root @ root.T

    for x in made.rows(contexts(n_numbers, 5)):
        assert x @ folding.fold(M) @ x[folding.columns] == pytest.approx(x @ M @ x, rel=1e-9)


@pytest.mark.parametrize(("n_numbers", "n_left"), [(4, 7), (10, 26), (20, 84)])
def test_few_columns_are_left(n_numbers: int, n_left: int) -> None:
    assert len(folding_of(design(contexts(n_numbers, 5))).columns) == n_left


@pytest.mark.parametrize(
    "context",
    [{f"x{i}": 1.0 for i in range(30)}, {"x": 1.0, "os": "ios"}, {"os": "ios"}],
    ids=["no products", "a number and a word", "a word"],
)
def test_where_products_are_lacking_nothing_is_folded(context: Features) -> None:
    assert design([context]).folding is None


def test_a_number_that_came_too_late_for_its_products_leaves_nothing_to_fold() -> None:
    columns, scaler = Columns.new(limit=20), Scaler()
    columns.grow(contexts(4, 1))
    columns.grow([{"late": 1.0}])

    assert Design(columns, scaler).folding is None


def test_the_posterior_is_the_same_folded_after_every_kind_of_learning() -> None:
    events = contexts(5)
    made = design(events)
    X, arms, rewards = made.rows(events), RNG.integers(3, size=len(events)), RNG.normal(size=len(events))
    moments = Moments(3, made.width)

    def check() -> None:
        mean, sd = moments.posterior_many(X, folding_of(made))
        np.testing.assert_allclose((mean, sd), moments.posterior_many(X), rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(moments.posterior(X[0], folding_of(made)), (mean[0], sd[0]), rtol=1e-10, atol=1e-12)

    check()
    moments.add_many(arms, X, rewards)
    check()
    moments.solve(arms, 0.0, 1.0)
    check()
    moments.add(1, X[0], 1.0)
    check()
    moments.solve(np.array([1]), 0.0, 1.0)
    check()
    moments.forget(0.5)
    check()
    moments = moments.resized(4, made.width)
    check()


def test_another_design_folds_anew() -> None:
    narrow, wide = design(contexts(2)), design(contexts(3))
    moments = Moments(1, narrow.width)
    moments.posterior(narrow.row(contexts(2, 1)[0]), folding_of(narrow))
    moments = moments.resized(1, wide.width)
    x = wide.row(contexts(3, 1)[0])

    assert moments.posterior(x, folding_of(wide))[1] == pytest.approx(moments.posterior(x)[1])
