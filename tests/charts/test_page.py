import re

import pytest

from pages import Page
from rewardloop.charts import Section, Table, bars, to_page, to_svg

CHART = bars({"age <b>": 0.5, "os": -0.2}, title="worth", unit="reward lost")
HOSTILE = "</style></td><script>alert(1)</script><img src=x>"


def page(*parts, tone="plain"):
    return to_page("Report", "Keep it.", [Section("Why", parts)], tone)


def test_the_page_runs_nothing_and_loads_nothing():
    text = page("Because.", CHART, Table(("a", ">b"), [("x", "1")]))
    seen = Page(text)
    assert "script" not in seen.tags
    assert not {name for name, _ in seen.attributes} & {"src", "href", "xlink:href", "onclick"}
    assert "://" not in text
    assert not re.search(r"url\(|@import", text)
    assert ("content", "default-src 'none'; style-src 'unsafe-inline'") in seen.attributes


def test_a_chart_is_a_drawing_with_its_words_and_numbers_in_the_document():
    text = "".join(Page(page(CHART)).text)
    assert {"age <b>", "os", "+0.5", "−0.2", "reward lost"} <= set(Page(page(CHART)).text)
    assert "worth" in text


def test_the_end_of_a_line_is_a_space_and_what_cannot_be_shown_is_marked():
    assert "<p>one two</p>" in page("one\ntwo")
    assert "<p>one�two</p>" in page("one\x00two")


def test_letters_wider_than_those_it_was_measured_with_are_not_cut_off():
    drawing = to_svg(CHART)
    left = re.search(r"translate\((\d+)", drawing)
    assert left
    assert int(left[1]) >= 40
    assert "overflow: visible" in page(CHART)


def test_a_drawing_has_no_paper_of_its_own():
    assert "white" not in to_svg(CHART)


def test_day_night_and_paper_are_provided_for():
    text = page()
    assert "prefers-color-scheme: dark" in text
    assert "@media print" in text
    assert '<meta name="color-scheme" content="light dark">' in text


@pytest.mark.parametrize("part", [HOSTILE, Table((HOSTILE, ">n"), [(HOSTILE, HOSTILE)])], ids=["paragraph", "table"])
def test_hostile_text_stays_text(part):
    seen = Page(to_page(HOSTILE, HOSTILE, [Section(HOSTILE, [part])]))
    assert not {"img", "script"} & set(seen.tags)
    assert seen.text.count(HOSTILE) >= 5 - 1


def test_hostile_labels_of_a_chart_stay_text():
    seen = Page(page(bars({HOSTILE: 1.0}, title=HOSTILE, unit=HOSTILE)))
    assert not {"img", "script"} & set(seen.tags)


def test_numbers_are_aligned_and_failures_are_marked():
    text = page(Table(("", ">n"), [("✓", "1"), ("✗", "2")]), tone="bad")
    assert '<td class="number">1</td>' in text
    assert '<tr class="bad"><td>✗</td>' in text
    assert '<p class="headline bad">Keep it.</p>' in text
