"""Horizontal bars from zero, to the right for what helps and to the left for what harms, with intervals where there are any."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rewardloop.charts.chart import BLUE, GREY, ORANGE, Chart, Spec, in_words, layer, layered

_ROW_HEIGHT = 24


def bars(
    values: Mapping[str, float],
    *,
    title: str,
    unit: str,
    intervals: Mapping[str, tuple[float, float]] | None = None,
    amounts: bool = False,
) -> Chart:
    """One bar a label, in the order given, and its number in words at the right.

    `amounts`: none helps or harms, so none has a sign.

    >>> bars({"age": 0.3}, title="worth", unit="mean reward lost").spec["layer"][0]["data"]["values"][0]["value"]
    0.3
    """
    known = intervals or {}
    rows = [_row(name, value, known.get(name), amounts) for name, value in values.items()]
    y = {"field": "label", "type": "nominal", "sort": list(values), "title": None, "axis": {"labelLimit": 260, "ticks": False}}
    shown = [_bars(rows, y, unit), _words(rows, y)] + ([_whiskers(rows, y)] if known else [])
    return layered(title, shown, width=460, height={"step": _ROW_HEIGHT})


def _row(name: str, value: float, interval: tuple[float, float] | None, amounts: bool) -> dict[str, object]:
    lower, upper = interval or (value, value)
    signed = f"{value:+.3g}" + (f"  ({lower:+.3g} to {upper:+.3g})" if interval else "")
    words = in_words(value) if amounts else signed
    return {
        "label": name,
        "value": value,
        "zero": 0,
        "lower": lower,
        "upper": upper,
        "words": words.replace("-", "−"),
        "helps": amounts or value >= 0,
    }


def _bars(rows: Sequence[Mapping[str, object]], y: Spec, unit: str) -> Spec:
    colour = {"field": "helps", "type": "nominal", "legend": None, "scale": {"domain": [True, False], "range": [BLUE, ORANGE]}}
    look = {"axis": {"tickCount": 8, "labelOverlap": True}, "scale": {"padding": 10, "nice": False}}
    x = {"field": "value", "type": "quantitative", "title": unit or None, **look}
    return layer(rows, {"type": "bar", "height": 13, "opacity": 0.85}, {"y": y, "x": x, "color": colour})


def _whiskers(rows: Sequence[Mapping[str, object]], y: Spec) -> Spec:
    x = {"field": "lower", "type": "quantitative"}
    return layer(rows, {"type": "rule", "strokeWidth": 1.5, "color": "#222"}, {"y": y, "x": x, "x2": {"field": "upper"}})


def _words(rows: Sequence[Mapping[str, object]], y: Spec) -> Spec:
    mark = {"type": "text", "align": "left", "dx": 12, "color": GREY, "fontSize": 11}
    return layer(rows, mark, {"y": y, "x": {"value": "width"}, "text": {"field": "words", "type": "nominal"}})
