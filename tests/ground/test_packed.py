"""Packed rows are the rows that were packed, and their numbers are read by columns only where every row has them all."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewardloop.features import Features
from rewardloop.packed import Packed
from rewardloop.policies.layouts import Layout

letters = st.characters(codec="utf-8")
names = st.text(letters, min_size=1, max_size=40)
numbers: st.SearchStrategy[float | str] = st.floats(-1e30, 1e30)
values = numbers | st.text(letters, max_size=10)


@given(st.lists(st.dictionaries(names, values, max_size=20), min_size=1, max_size=20))
def test_rows_come_back_as_they_were(rows: list[Features]) -> None:
    packed = Packed(rows)
    assert len(packed) == len(rows)
    assert list(packed) == rows
    assert [list(row) for row in packed] == [list(row) for row in rows]
    assert packed[-1] == rows[-1]
    assert packed == tuple(rows)


@pytest.mark.parametrize("n", [1, 15, 16, 70_000])
def test_as_many_rows_as_there_may_be(n: int) -> None:
    packed = Packed([{"price": float(i)} for i in range(n)])
    assert len(packed) == n
    found = Layout(("price",)).numbers([packed, packed])
    assert found is not None
    np.testing.assert_array_equal(found[:, 0], [*range(n), *range(n)])


@given(st.lists(names, min_size=1, max_size=20, unique=True), st.lists(st.integers(1, 20), min_size=1, max_size=4), st.data())
def test_numbers_are_read_by_columns(wanted: list[str], sizes: list[int], data: st.DataObject) -> None:
    given_rows: list[list[Features]] = [[{name: data.draw(numbers) for name in wanted} for _ in range(n)] for n in sizes]
    found = Layout(tuple(wanted)).numbers([Packed(rows) for rows in given_rows])
    assert found is not None
    assert found.tolist() == [list(row.values()) for rows in given_rows for row in rows]


@pytest.mark.parametrize(
    "other",
    [
        {"price": 1.0, "age": "eight by"},  # As long as a float is.
        {"age": 1.0, "price": 1.0},
        {"price": 1.0, "agf": 1.0},
        {"price": 1.0},
        {"price": 1.0, "age": 1.0, "more": 1.0},
        {},
    ],
)
def test_one_row_that_is_another_leaves_them_to_be_read_one_by_one(other: Features) -> None:
    row: Features = {"price": 1.0, "age": 2.0}
    for rows in ([row, other], [other, row], [row, row, other, row]):
        assert Layout(("price", "age")).numbers([Packed(rows)]) is None
        assert Layout(("price", "age")).numbers([Packed([one]) for one in rows]) is None
