import math

from rewardloop.charts import forest_plot
from rewardloop.evaluation import Estimate

BETTER = Estimate(0.81, 0.79, 0.83, 0.95, 2000, 812.0)
HOSTED = Estimate(0.77, 0.75, 0.79, 0.95, 2000, 1900.0)


def rows(chart):
    return chart.spec["layer"][-1]["data"]["values"]


def test_every_estimate_has_a_row_with_its_interval_and_its_n():
    first, second = rows(forest_plot({"candidate": BETTER, "hosted": HOSTED}, title="gate"))
    assert (first["estimate"], first["value"], first["lower"], first["upper"]) == ("candidate", 0.81, 0.79, 0.83)
    assert second["words"] == "0.77 · n 2,000, ess 1,900"


def test_rows_keep_the_order_they_were_given():
    chart = forest_plot({"b": BETTER, "a": HOSTED}, title="gate")
    assert all(layer["encoding"]["y"]["sort"] == ["b", "a"] for layer in chart.spec["layer"])


def test_the_level_of_the_interval_is_on_the_axis():
    chart = forest_plot({"a": BETTER}, title="gate", unit="difference")
    assert chart.spec["layer"][0]["encoding"]["x"]["title"] == "difference, 95 % interval"


def test_a_reference_is_a_line_and_absent_without_one():
    line = forest_plot({"a": BETTER}, title="gate", reference=0.77).spec["layer"][0]
    assert line["data"]["values"] == [{"value": 0.77}]
    assert len(forest_plot({"a": BETTER}, title="gate").spec["layer"]) == 3


def test_an_infinite_bound_is_not_drawn():
    (row,) = rows(forest_plot({"one event": Estimate(1.0, -math.inf, math.inf, 0.95, 1, 1.0)}, title="gate"))
    assert (row["lower"], row["upper"]) == (1.0, 1.0)


def test_what_counts_alike_is_counted_by_its_name_and_thousands_are_written_out():
    (row,) = rows(forest_plot({"a": Estimate(-12545.9, -13000, -12000, 0.95, 50, 50.0)}, title="returns", counting="episodes"))
    assert row["words"] == "−12,546 · 50 episodes"
