"""Columns and the rows made of them."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewardloop.features import Features
from rewardloop.policies.design.columns import MAX_QUADRATIC, REACH, Columns, ColumnsState
from rewardloop.policies.design.design import Design
from rewardloop.policies.scaling import Scaler

CONTEXTS = st.dictionaries(
    st.sampled_from(["a", "b", "c", "1", "π"]) | st.text(min_size=1, max_size=4),
    st.integers(-3, 3) | st.floats(-1e30, 1e30) | st.sampled_from(["x", "y", "1.5"]) | st.text(max_size=3),
    max_size=8,
)


def grown(*batches: list[Features], limit: int = 256) -> Columns:
    columns = Columns.new(limit)
    for batch in batches:
        columns.grow(batch)
    return columns


def numbers(n: int) -> Features:
    return {f"f{i}": float(i) for i in range(n)}


def design(columns: Columns, *contexts: Features) -> Design:
    scaler = Scaler()
    scaler.update(contexts)
    return Design(columns, scaler)


@pytest.mark.parametrize(("n", "width"), [(0, 1), (1, 3), (9, 55), (20, 231), (21, 22), (100, 101)])
def test_up_to_twenty_columns_have_products(n: int, width: int) -> None:
    assert len(grown([numbers(n)]).pairs) == width


def test_products_that_do_not_fit_are_left_out() -> None:
    assert len(grown([numbers(9)], limit=58).pairs) == 10
    assert len(grown([numbers(9)], limit=59).pairs) == 55


def test_later_columns_stand_behind_the_others_and_multiply_while_they_are_few() -> None:
    columns = grown([numbers(19)])
    before = list(columns.pairs)
    columns.grow([{"os": "ios"}])
    assert columns.pairs[: len(before)] == before
    assert columns.pairs[len(before) :] == [(0, 20)] + [(i, 20) for i in range(1, 20)]
    columns.grow([{"os": "linux"}])
    assert columns.pairs[-1] == (0, 21)


def test_the_degree_is_decided_once() -> None:
    assert len(grown([numbers(21)], [{"os": "ios"}]).pairs) == 23


@given(st.lists(st.lists(CONTEXTS, max_size=30), max_size=4), st.integers(1, 40))
def test_the_width_is_bounded_and_nothing_is_moved(batches: list[list[Features]], limit: int) -> None:
    columns = Columns.new(limit)
    for batch in batches:
        before = list(columns.pairs)
        columns.grow(batch)
        assert columns.pairs[: len(before)] == before
    assert len(columns.pairs) <= limit + 1
    again = Columns(columns.state())
    assert (again.numbers, again.words, again.buckets) == (columns.numbers, columns.words, columns.buckets)


@given(st.lists(CONTEXTS, min_size=1, max_size=20), st.lists(CONTEXTS, min_size=1, max_size=20), st.integers(1, 40))
def test_rows_are_finite_bounded_and_the_same_one_by_one(seen: list[Features], asked: list[Features], limit: int) -> None:
    columns = grown(seen, limit=limit)
    made = design(columns, *seen)

    rows = made.rows(asked)

    assert rows.shape == (len(asked), made.width)
    assert (np.abs(rows) <= max(1.0, 5 * columns.unit, (5 * columns.unit) ** 2)).all()
    np.testing.assert_array_equal(rows, [made.row(context) for context in asked])


def test_a_word_is_a_column_of_its_own_and_a_number_a_z_score() -> None:
    contexts: list[Features] = [{"age": 20, "os": "ios"}, {"age": 40, "os": "linux"}]
    made = design(grown(contexts, limit=4), *contexts)  # no room for products

    np.testing.assert_allclose(made.row({"os": "linux", "age": 50}), [1, 2 * REACH, 0, REACH])
    np.testing.assert_allclose(made.row({"age": "ios"}), [1, 0, 0, 0])
    np.testing.assert_allclose(made.row({"os": "unheard of", "zip": 1}), [1, 0, 0, 0])


def test_words_that_look_like_numbers_or_like_other_features_are_words() -> None:
    columns = grown([{"a": "1.5", "a=1.5": 2.0}, {"a": 1.5}])

    assert columns.words == {"a": {"1.5": 1}}
    assert columns.numbers == {"a=1.5": 2, "a": 3}


def test_what_comes_too_late_shares_columns() -> None:
    people: list[Features] = [{"user": f"u{i}"} for i in range(1_000)]
    columns = grown(people, limit=50)
    made = design(columns)

    assert len(columns.pairs) == 51
    assert len(columns.words["user"]) == 45
    shared = made.rows(people[45:])
    assert (shared[:, 1:46] == 0).all()
    assert shared[:, 46:].sum(axis=1) == pytest.approx(columns.unit)
    assert (shared[:, 46:].any(axis=0)).all()


def test_an_enormous_word_is_not_remembered() -> None:
    columns = grown([{"text": "x" * 1_000_000}])

    assert columns.words == {}
    assert design(columns).row({"text": "x" * 1_000_000})[1] == columns.unit


def test_a_typical_context_is_as_long_whatever_the_number_of_features() -> None:
    rng = np.random.default_rng(0)
    for n in (2, 8, 64):
        contexts: list[Features] = [{f"f{i}": x for i, x in enumerate(row)} for row in rng.normal(size=(400, n)).tolist()]
        made = design(grown(contexts, limit=70), *contexts)
        length = np.square(made.rows(contexts)[:, 1 : n + 1]).sum(axis=1).mean()
        assert length == pytest.approx(2.0 * (REACH**2 if n > MAX_QUADRATIC else 1), rel=0.1)


def test_a_model_of_before_keeps_its_scale() -> None:
    state = msgspec.to_builtins(grown([{f"f{i}": 1.0 for i in range(30)}]).state())
    del state["reach"]
    old = Columns(msgspec.convert(state, ColumnsState))

    assert old.unit == pytest.approx(np.sqrt(2 / 30))
    assert Columns(old.state()).unit == old.unit
