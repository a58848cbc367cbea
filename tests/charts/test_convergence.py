from rewardloop.charts import convergence
from rewardloop.evaluation import Estimate

CURVE = [Estimate(0.5, 0.2, 0.8, 0.95, 100, 50.0), Estimate(0.6, 0.5, 0.7, 0.95, 200, 90.0)]


def test_every_estimate_is_a_point_in_its_band():
    chart = convergence({"candidate": CURVE}, title="settling")
    band, line = (layer["data"]["values"] for layer in chart.spec["layer"])
    assert [(row["n"], row["value"]) for row in line] == [(100, 0.5), (200, 0.6)]
    assert [(row["lower"], row["upper"]) for row in band] == [(0.2, 0.8), (0.5, 0.7)]


def test_the_axis_ends_where_the_events_do_and_says_its_unit():
    chart = convergence({"candidate": CURVE, "hosted": CURVE[:1]}, title="settling", unit="difference")
    assert chart.spec["layer"][-1]["encoding"]["x"]["scale"]["domain"] == [0, 200]
    assert chart.spec["layer"][0]["encoding"]["y"]["title"] == "difference, 95 % interval"


def test_one_curve_needs_no_legend_and_two_do():
    one, two = (convergence(dict.fromkeys(names, CURVE), title="settling") for names in ("a", "ab"))
    assert one.spec["layer"][-1]["encoding"]["color"]["legend"] is None
    assert "legend" not in two.spec["layer"][-1]["encoding"]["color"]


def test_a_difference_is_seen_against_zero():
    line = convergence({"difference": CURVE}, title="settling", reference=0).spec["layer"][0]
    assert line["data"]["values"] == [{"value": 0}]
