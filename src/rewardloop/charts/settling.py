"""Estimates at growing n, with their intervals: has the answer settled, or is it still on its way?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rewardloop.charts.chart import GREY, Chart, Spec, dash, hue, layer, layered
from rewardloop.charts.forest import Estimated


def convergence(
    curves: Mapping[str, Sequence[Estimated]],
    *,
    title: str,
    unit: str = "mean reward",
    reference: float | None = None,
    axis: str = "held-out events, oldest first",
) -> Chart:
    """One line a curve (at most five) over the number of events, each in the band of its intervals.

    `reference` draws a horizontal line: 0 for a difference. `axis` says what is counted.
    """
    rows = [_row(name, estimate) for name, curve in curves.items() for estimate in curve]
    level = next((f"{100 * estimate.level:g} % interval" for curve in curves.values() for estimate in curve), "interval")
    last = max((estimate.n for curve in curves.values() for estimate in curve), default=1)
    line = [] if reference is None else [_reference(reference)]
    n = _n(last, axis)
    drawn = [_band(rows, n, hue(list(curves)), f"{unit}, {level}"), _line(rows, n, list(curves))]
    return layered(title, [*line, *drawn], height=220)


def _row(name: str, estimate: Estimated) -> dict[str, object]:
    return {"series": name, "n": estimate.n, "value": estimate.value, "lower": estimate.lower, "upper": estimate.upper}


def _n(last: int, title: str) -> Spec:
    axis = {"format": ",d", "tickCount": 8}
    scale = {"domain": [0, last], "nice": False}
    return {"field": "n", "type": "quantitative", "title": title, "axis": axis, "scale": scale}


def _band(rows: Sequence[Mapping[str, object]], n: Spec, colour: Spec, title: str) -> Spec:
    lower = {"field": "lower", "type": "quantitative", "title": title, "scale": {"zero": False}}
    mark = {"type": "area", "opacity": 0.18}
    return layer(rows, mark, {"x": n, "y": lower, "y2": {"field": "upper"}, "color": colour})


def _line(rows: Sequence[Mapping[str, object]], n: Spec, names: Sequence[str]) -> Spec:
    value = {"field": "value", "type": "quantitative"}
    tooltip = [{"field": "n", "type": "quantitative", "format": ",d"}]
    tooltip += [{"field": name, "type": "quantitative", "format": ".4g"} for name in ("value", "lower", "upper")]
    encoding = {"x": n, "y": value, "color": hue(names), "strokeDash": dash(names), "tooltip": tooltip}
    return layer(rows, {"type": "line", "strokeWidth": 2}, encoding)


def _reference(at: float) -> Spec:
    mark = {"type": "rule", "color": GREY, "strokeDash": [4, 3]}
    return layer([{"value": at}], mark, {"y": {"field": "value", "type": "quantitative"}})
