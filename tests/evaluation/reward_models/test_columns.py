import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewardloop.evaluation.reward_models.columns import Columns, sketch
from rewardloop.evaluation.reward_models.ridge import fit, fit_held_out

ROWS = st.lists(
    st.dictionaries(st.text(max_size=3), st.one_of(st.floats(-1e30, 1e30), st.text(max_size=3)), max_size=30),
    min_size=1,
    max_size=8,
)


@given(ROWS, ROWS)
def test_any_rows_give_finite_columns_of_bounded_width(seen, later):
    columns, matrix = Columns.fit_transform(seen, width=12)
    assert matrix.shape == (len(seen), columns.width)
    assert columns.width <= 12
    for rows in (matrix, columns.transform(later)):
        assert np.isfinite(rows).all()
        assert np.abs(rows).max() <= 5


def test_what_was_fitted_is_transformed_alike():
    rows = [{"a": float(i), "b": "x" if i % 3 else "y"} for i in range(3000)]
    columns, matrix = Columns.fit_transform(rows, width=16)
    assert (columns.transform(rows) == matrix).all()


def test_indicators_are_left_alone_and_constants_vanish():
    _, matrix = Columns.fit_transform([{"flag": 1.0, "always": 7.0}, {"flag": 0.0, "always": 7.0}], width=16)
    assert matrix.tolist() == [[1.0, 0.0], [0.0, 0.0]]


def test_rare_words_share_columns_and_frequent_ones_do_not():
    rows = [{"user": f"u{i}", "os": "ios" if i % 2 else "android"} for i in range(100)]
    _, matrix = Columns.fit_transform(rows, width=12)
    assert matrix.shape[1] == 12
    own = [np.corrcoef(column, [i % 2 for i in range(100)])[0, 1] for column in matrix.T[:2]]
    assert np.abs(own) == pytest.approx([1.0, 1.0])


def test_a_sketch_keeps_few_columns_and_folds_many():
    assert sketch(np.eye(3), 4).tolist() == np.eye(3).tolist()
    assert sketch(np.eye(30), 4).shape == (30, 4)
    assert (np.abs(sketch(np.eye(30), 4)).sum(axis=1) == 1).all()


@pytest.mark.parametrize("n", [3, 40])
def test_both_sides_of_the_ridge_solve_the_same_problem(n):
    generator = np.random.default_rng(n)
    X, y, penalty = generator.normal(size=(n, 8)), generator.normal(size=n), generator.uniform(0.5, 2, size=8)
    np.testing.assert_allclose(fit(X, y, penalty), np.linalg.inv(X.T @ X + np.diag(penalty)) @ X.T @ y, atol=1e-10)


@pytest.mark.parametrize("n", [6, 60])
def test_each_fold_is_fitted_to_the_others(n):
    generator = np.random.default_rng(n)
    X, y, fold = generator.normal(size=(n, 8)), generator.normal(size=n), np.arange(n) % 3
    baseline = np.array([0.0, 0.5, -1.0, 2.0])
    weights = fit_held_out(X, y, fold, baseline, np.ones(8))
    for number, base in enumerate(baseline):
        others = fold != number
        np.testing.assert_allclose(weights[number], fit(X[others], y[others] - base, np.ones(8)), atol=1e-9)
