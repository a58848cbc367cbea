from rewardloop.charts import strips


def test_a_band_is_shaded_behind_its_own_panel_alone():
    lines = {"temperature": {"zone": [21.0, 22.5]}, "power": {"fan": [1.0, 2.0]}}
    first, second = strips("One day", [0, 1], lines, x="hour", bands={"temperature": (18.0, 27.0)}).spec["vconcat"]
    assert [layer["mark"]["type"] for layer in first["layer"]] == ["rect", "line"]
    assert first["layer"][0]["data"]["values"] == [{"y": 18.0, "to": 27.0}]
    assert [layer["mark"]["type"] for layer in second["layer"]] == ["line"]


def test_the_axis_is_named_once_and_ends_with_the_steps():
    lines = {"temperature": {"zone": [21.0, 22.5]}, "power": {"fan": [1.0, 2.0]}}
    panels = strips("One day", [0, 143.75], lines, x="hour").spec["vconcat"]
    across = [panel["layer"][-1]["encoding"]["x"] for panel in panels]
    assert [one["title"] for one in across] == [None, "hour"]
    assert all(one["scale"] == {"nice": False} for one in across)
