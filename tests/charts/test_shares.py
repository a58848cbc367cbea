import pytest

from rewardloop.charts import shares
from rewardloop.errors import InvalidInput


def rows(chart):
    return chart.spec["layer"][0]["data"]["values"]


def test_the_shares_of_a_step_make_one():
    chart = shares([10, 20], {"a": [1, 0], "b": [3, 5]}, title="chosen", x="decisions")
    assert [(row["series"], row["step"], row["share"]) for row in rows(chart)] == [
        ("a", 10, 0.25),
        ("a", 20, 0.0),
        ("b", 10, 0.75),
        ("b", 20, 1.0),
    ]


def test_the_smallest_of_many_are_told_together():
    chart = shares([1], {f"a{i}": [i] for i in range(12)}, title="chosen", x="decisions")
    names = [row["series"] for row in rows(chart)]
    assert names == ["a5", "a6", "a7", "a8", "a9", "a10", "a11", "others"]
    assert rows(chart)[-1]["share"] == pytest.approx((0 + 1 + 2 + 3 + 4) / 66)


def test_a_step_of_nothing_has_no_shares():
    assert [row["share"] for row in rows(shares([1], {"a": [0], "b": [0]}, title="chosen", x="decisions"))] == [0.0, 0.0]


def test_lengths_that_differ_are_refused():
    with pytest.raises(InvalidInput, match="Expected 2 counts of `a`, got 1"):
        shares([1, 2], {"a": [1]}, title="chosen", x="decisions")
