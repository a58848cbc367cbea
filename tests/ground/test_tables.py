"""A table is the rows that were put into it, under the names they had."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rewardloop.tables import Table

names = st.lists(st.text(min_size=1, max_size=9), min_size=1, max_size=5, unique=True).map(tuple)


@st.composite
def tables(draw: st.DrawFn, of: tuple[str, ...]) -> list[tuple[float, ...]]:
    return draw(st.lists(st.tuples(*[st.floats(-1e30, 1e30)] * len(of)), min_size=1, max_size=20))


@given(names, st.data())
def test_rows_come_back_as_they_were(of: tuple[str, ...], data: st.DataObject) -> None:
    rows = data.draw(tables(of))
    table = Table.of(of, rows)
    assert len(table) == len(rows)
    assert [tuple(row.items()) for row in table] == [tuple(zip(of, row, strict=True)) for row in rows]
    assert table[-1] == dict(zip(of, rows[-1], strict=True))
    assert table[:1] == list(table)[:1]
    assert table.values.tolist() == [list(row) for row in rows]


@given(names, st.data())
def test_parts_are_joined_in_their_order(of: tuple[str, ...], data: st.DataObject) -> None:
    parts = [Table.of(of, data.draw(tables(of))) for _ in range(3)]
    joined = Table.joined(parts)
    assert joined is not None
    np.testing.assert_array_equal(joined.values, np.concatenate([part.values for part in parts]))
    assert Table.joined([*parts, Table.of((*of, "a name more than ten letters long"), [(0.0,) * (len(of) + 1)])]) is None
