from rewardloop.charts import weight_tail


def encoding(chart):
    return chart.spec["layer"][0]["encoding"]


def test_every_point_is_drawn_under_its_policy():
    chart = weight_tail({"candidate": [(1.0, 0.75), (40.0, 0.01)], "hosted": [(1.0, 1.0)]}, title="weights")
    rows = chart.spec["layer"][0]["data"]["values"]
    assert [(row["series"], row["weight"], row["share"]) for row in rows] == [
        ("candidate", 1.0, 0.75),
        ("candidate", 40.0, 0.01),
        ("hosted", 1.0, 1.0),
    ]


def test_both_axes_are_logarithmic_and_hold_every_point():
    x, y = (encoding(weight_tail({"a": [(0.3, 1.0), (40.0, 0.004)]}, title="weights"))[axis] for axis in "xy")
    assert (x["scale"]["type"], x["scale"]["domain"]) == ("log", [0.1, 100.0])
    assert (y["scale"]["type"], y["scale"]["domain"]) == ("log", [0.001, 1.0])


def test_many_decades_get_one_tick_each():
    x = encoding(weight_tail({"a": [(1e-4, 1.0), (1e3, 0.1)]}, title="weights"))["x"]
    assert x["axis"]["values"] == [1e-4, 1e-3, 1e-2, 0.1, 1.0, 10.0, 100.0, 1000.0]


def test_a_single_weight_still_has_an_axis():
    x = encoding(weight_tail({"a": [(1.0, 1.0)]}, title="weights"))["x"]
    assert x["scale"]["domain"] == [1.0, 10.0]
