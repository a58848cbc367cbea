import pytest

from rewardloop.charts import learning_curve
from rewardloop.errors import InvalidInput


def values(chart, layer):
    return chart.spec["layer"][layer]["data"]["values"]


def test_the_curve_holds_every_window_in_order():
    chart = learning_curve([500, 1000], [0.2, 0.6], references={}, title="digits")
    assert [(row["decisions"], row["reward"]) for row in values(chart, 0)] == [(500, 0.2), (1000, 0.6)]


def test_reference_lines_stand_at_their_rewards_under_their_names():
    references = {"uniform": 0.1, "best fixed arm": 0.12, "full information": 0.97}
    chart = learning_curve([500], [0.2], references=references, title="digits")
    assert {row["series"]: row["reward"] for row in values(chart, -1)} == references
    assert chart.spec["layer"][0]["encoding"]["color"]["scale"]["domain"] == ["this policy", *references]


def test_the_band_reaches_from_lower_to_upper():
    chart = learning_curve([500, 1000], [0.2, 0.6], references={}, title="digits", band=[(0.1, 0.3), (0.5, 0.7)])
    assert [(row["reward"], row["upper"]) for row in values(chart, 1)] == [(0.1, 0.3), (0.5, 0.7)]


@pytest.mark.parametrize(("decisions", "band"), [([500], None), ([500, 1000], [(0.0, 1.0)])])
def test_columns_of_different_length_are_refused(decisions, band):
    with pytest.raises(InvalidInput, match="as many rewards"):
        learning_curve(decisions, [0.2, 0.6], references={}, title="digits", band=band)


def test_more_references_than_colours_are_refused():
    with pytest.raises(InvalidInput, match="at most 4 references"):
        learning_curve([1], [0.5], references=dict.fromkeys("abcde", 0.1), title="digits")
