import re
import struct

import pytest

from pages import Page
from rewardloop.charts import bars, convergence, forest_plot, learning_curve, stacked, to_html, to_png, weight_tail
from rewardloop.evaluation import Estimate

CURVE = learning_curve([500, 1000], [0.2, 0.6], references={"uniform": 0.1}, title="digits", band=[(0.1, 0.3), (0.5, 0.7)])
FOREST = forest_plot({"candidate": Estimate(0.81, 0.79, 0.83, 0.95, 2000, 812.0)}, title="gate", reference=0.77)
SETTLING = convergence({"candidate": [Estimate(0.5, 0.2, 0.8, 0.95, n, n) for n in (50, 100)]}, title="settling", reference=0.4)
TAIL = weight_tail({"candidate": [(0.1, 1.0), (10.0, 0.01)], "hosted": [(1.0, 1.0)]}, title="weights")
BARS = bars({"age": 0.5, "os": -0.1}, title="worth", unit="reward lost", intervals={"age": (0.4, 0.6), "os": (-0.2, 0.0)})
REPORT = stacked("report", [FOREST, SETTLING, TAIL, BARS], subtitle=["A sentence."])
DRAWN = {"curve": CURVE, "forest": FOREST, "settling": SETTLING, "tail": TAIL, "bars": BARS, "stacked": REPORT}


@pytest.mark.parametrize("chart", DRAWN.values(), ids=DRAWN)
def test_a_chart_becomes_a_picture_with_something_in_it(chart):
    png = to_png(chart)
    width, height = struct.unpack(">II", png[16:24])
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    assert (width > 1000, height > 150, len(png) > 5_000) == (True, True, True)


def test_a_stack_is_as_high_as_its_charts_and_keeps_each_with_its_own_axes():
    heights = [struct.unpack(">I", to_png(chart)[20:24])[0] for chart in (FOREST, SETTLING, TAIL, BARS, REPORT)]
    assert heights[-1] > sum(heights[:-1])
    assert REPORT.spec["resolve"]["scale"]["x"] == "independent"
    assert [part["title"] for part in REPORT.spec["vconcat"]] == ["gate", "settling", "weights", "worth"]


def test_a_larger_scale_gives_more_pixels():
    small, large = (struct.unpack(">I", to_png(FOREST, scale=scale)[16:20])[0] for scale in (1.0, 2.0))
    assert large == pytest.approx(2 * small, abs=2)


def test_the_page_loads_nothing_from_anywhere():
    text = to_html([CURVE, FOREST], "report")
    page = Page(text)
    assert not {name for name, _ in page.attributes} & {"src", "href"}
    assert "link" not in page.tags
    assert not re.search(r"cdn\.|jsdelivr|unpkg|googleapis", text)
    assert ("content", text.split('Content-Security-Policy" content="')[1].split('"')[0]) in page.attributes
    assert "default-src 'none'" in text


def test_the_page_has_a_place_for_every_chart():
    page = Page(to_html([CURVE, FOREST], "report"))
    assert [value for name, value in page.attributes if name == "id"] == ["chart-0", "chart-1"]
    assert page.tags.count("figure") == 2


def test_one_chart_needs_no_list():
    assert Page(to_html(CURVE, "report")).tags.count("figure") == 1


def test_a_hostile_label_or_title_stays_text():
    hostile = "</script><img src=x onerror=alert(1)>"
    chart = learning_curve([1], [0.5], references={hostile: 0.1}, title=hostile)
    page = Page(to_html(chart, hostile))
    assert "img" not in page.tags
    assert page.tags.count("script") == 2
