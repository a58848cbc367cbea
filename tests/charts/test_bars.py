from rewardloop.charts import bars


def rows(chart, layer=0):
    return chart.spec["layer"][layer]["data"]["values"]


def test_every_value_is_a_bar_in_the_order_given():
    chart = bars({"b": 0.5, "a": -0.25}, title="worth", unit="reward lost")
    assert [(row["label"], row["value"], row["helps"]) for row in rows(chart)] == [("b", 0.5, True), ("a", -0.25, False)]
    assert chart.spec["layer"][0]["encoding"]["y"]["sort"] == ["b", "a"]
    assert chart.spec["layer"][0]["encoding"]["x"]["title"] == "reward lost"


def test_an_interval_is_drawn_and_said():
    chart = bars({"age": 0.5}, title="worth", unit="reward lost", intervals={"age": (-0.1, 1.1)})
    (row,) = rows(chart, layer=-1)
    assert (row["lower"], row["upper"]) == (-0.1, 1.1)
    assert row["words"] == "+0.5  (−0.1 to +1.1)"


def test_without_intervals_there_are_no_whiskers():
    assert [layer["mark"]["type"] for layer in bars({"age": 0.5}, title="worth", unit="x").spec["layer"]] == ["bar", "text"]


def test_amounts_have_no_sign():
    (row,) = rows(bars({"rules": 1212.4}, title="energy, kWh", unit="", amounts=True))
    assert (row["words"], row["helps"]) == ("1,212", True)
