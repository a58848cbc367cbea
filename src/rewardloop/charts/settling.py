"""Estimates at growing n, with their intervals: has the answer settled, or is it still on its way?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rewardloop.charts.chart import GREY, Chart, Spec, hue, layer, layered
from rewardloop.charts.forest import Estimated


def convergence(
    curves: Mapping[str, Sequence[Estimated]], *, title: str, unit: str = "mean reward", reference: float | None = None
) -> Chart:
    """One line a curve (at most five) over the number of events, each in the band of its intervals.

    `reference` draws a horizontal line: 0 for a difference.
    """
    rows = [_row(name, estimate) for name, curve in curves.items() for estimate in curve]
    level = next((f"{100 * estimate.level:g} % interval" for curve in curves.values() for estimate in curve), "interval")
    colour = hue(list(curves))
    line = [] if reference is None else [_reference(reference)]
    return layered(title, [*line, _band(rows, colour, f"{unit}, {level}"), _line(rows, colour)], height=220)


def _row(name: str, estimate: Estimated) -> dict[str, object]:
    return {"series": name, "n": estimate.n, "value": estimate.value, "lower": estimate.lower, "upper": estimate.upper}


def _n() -> Spec:
    return {
        "field": "n",
        "type": "quantitative",
        "title": "held-out events, oldest first",
        "axis": {"format": ",d", "tickCount": 8},
    }


def _band(rows: Sequence[Mapping[str, object]], colour: Spec, title: str) -> Spec:
    lower = {"field": "lower", "type": "quantitative", "title": title, "scale": {"zero": False}}
    mark = {"type": "area", "opacity": 0.18}
    return layer(rows, mark, {"x": _n(), "y": lower, "y2": {"field": "upper"}, "color": colour})


def _line(rows: Sequence[Mapping[str, object]], colour: Spec) -> Spec:
    value = {"field": "value", "type": "quantitative"}
    tooltip = [{"field": "n", "type": "quantitative", "format": ",d"}]
    tooltip += [{"field": name, "type": "quantitative", "format": ".4g"} for name in ("value", "lower", "upper")]
    return layer(rows, {"type": "line", "strokeWidth": 2}, {"x": _n(), "y": value, "color": colour, "tooltip": tooltip})


def _reference(at: float) -> Spec:
    mark = {"type": "rule", "color": GREY, "strokeDash": [4, 3]}
    return layer([{"value": at}], mark, {"y": {"field": "value", "type": "quantitative"}})
