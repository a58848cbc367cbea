"""Forest plot: estimates side by side, each with its interval and its n."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Protocol

from rewardloop.charts.chart import GREY, Chart, Spec, hue, in_words, layer, layered

_ROW_HEIGHT = 28
_TICKS = 8
"""About so many: more labels run into one another."""


class Estimated(Protocol):
    """Anything with a value, an interval and what it rests on; `evaluation.Estimate` is one."""

    @property
    def value(self) -> float: ...
    @property
    def lower(self) -> float: ...
    @property
    def upper(self) -> float: ...
    @property
    def level(self) -> float: ...
    @property
    def n(self) -> int: ...
    @property
    def ess(self) -> float: ...


def forest_plot(
    estimates: Mapping[str, Estimated],
    *,
    title: str,
    reference: float | None = None,
    unit: str = "mean reward",
    groups: Mapping[str, str] | None = None,
    counting: str = "",
) -> Chart:
    """One row an estimate, in the order given: a point, its interval, and its n and effective sample size in words.

    `counting`: what was counted where all count alike, such as runs, instead of events with weights.

    `reference` draws a vertical line: 0 for a difference, the hosted policy's value otherwise. `groups` (at most five) colours the
    rows by what they are estimates of. An infinite bound is not drawn.
    """
    series = groups or dict.fromkeys(estimates, "estimate")
    rows = [{**_row(label, estimate, counting), "series": series[label]} for label, estimate in estimates.items()]
    colour = hue(list(dict.fromkeys(series.values())))
    order = list(estimates)
    level = next((f"{100 * estimate.level:g} % interval" for estimate in estimates.values()), "interval")
    shown = [_intervals(rows, order, colour, f"{unit}, {level}"), _points(rows, order, colour), _words(rows, order)]
    line = [] if reference is None else [_reference(reference)]
    return layered(title, [*line, *shown], width=520, height={"step": _ROW_HEIGHT})


def _row(label: str, estimate: Estimated, counting: str) -> dict[str, object]:
    counted = f"{estimate.n:,} {counting}" if counting else f"n {estimate.n:,}, ess {estimate.ess:,.0f}"
    words = f"{in_words(estimate.value)} · {counted}"
    lower, upper = (bound if math.isfinite(bound) else estimate.value for bound in (estimate.lower, estimate.upper))
    return {"estimate": label, "value": estimate.value, "lower": lower, "upper": upper, "words": words}


def _label(order: list[str]) -> Spec:
    return {"field": "estimate", "type": "nominal", "sort": order, "title": None, "axis": {"labelLimit": 260, "ticks": False}}


def _intervals(rows: list[dict[str, object]], order: list[str], colour: Spec, title: str) -> Spec:
    axis = {"tickCount": _TICKS, "labelOverlap": True}
    lower = {"field": "lower", "type": "quantitative", "title": title, "axis": axis, "scale": {"zero": False, "padding": 12}}
    encoding = {"y": _label(order), "x": lower, "x2": {"field": "upper"}, "color": colour}
    return layer(rows, {"type": "rule", "strokeWidth": 2}, encoding)


def _points(rows: list[dict[str, object]], order: list[str], colour: Spec) -> Spec:
    value = {"field": "value", "type": "quantitative"}
    tooltip = [{"field": name, "type": "quantitative", "format": ".4g"} for name in ("value", "lower", "upper")]
    mark = {"type": "point", "filled": True, "size": 70, "opacity": 1}
    return layer(rows, mark, {"y": _label(order), "x": value, "color": colour, "tooltip": tooltip})


def _words(rows: list[dict[str, object]], order: list[str]) -> Spec:
    mark = {"type": "text", "align": "left", "dx": 12, "color": GREY, "fontSize": 11}
    return layer(rows, mark, {"y": _label(order), "x": {"value": "width"}, "text": {"field": "words", "type": "nominal"}})


def _reference(at: float) -> Spec:
    mark = {"type": "rule", "color": GREY, "strokeDash": [4, 3]}
    return layer([{"value": at}], mark, {"x": {"field": "value", "type": "quantitative"}})
