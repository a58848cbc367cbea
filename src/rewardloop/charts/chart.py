"""The type every chart function returns: a Vega-Lite specification. Pages, notebooks and files render the same one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap

Spec = Mapping[str, object]

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
"""Names the dialect; nothing is loaded from there."""
BLUE, ORANGE, GREEN, GREY, PURPLE = "#0072b2", "#d55e00", "#009e73", "#767676", "#aa4499"
"""Okabe & Ito (2008), told apart by everyone, and dark enough on white."""
_FONT = "system-ui, sans-serif"
_LINE = 110
"""Characters of a line under the title."""
_CONFIG: Spec = {
    "view": {"stroke": None},
    "axis": {"labelFont": _FONT, "titleFont": _FONT, "gridColor": "#e6e6e6", "domainColor": GREY, "tickColor": GREY},
    "legend": {
        "labelFont": _FONT,
        "titleFont": _FONT,
        "orient": "bottom",
        "symbolType": "stroke",
        "symbolSize": 400,
        "symbolOpacity": 1,
    },
    "title": {"font": _FONT, "anchor": "start", "fontWeight": 600, "frame": "group"},
    "text": {"font": _FONT},
}


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart. `spec` is a Vega-Lite 6 object with its data inside: it can be drawn with no network and no further files."""

    title: str
    spec: Spec


def layered(title: str, layers: Sequence[Spec], *, width: int = 640, height: int | Spec = 320) -> Chart:
    """Marks over one another, in the house's look."""
    size: Spec = {"width": width, "height": height}
    return Chart(title, {"$schema": SCHEMA, "title": title, **size, "layer": list(layers), "config": _CONFIG})


def stacked(title: str, charts: Sequence[Chart], *, subtitle: Sequence[str] = ()) -> Chart:
    """Charts below one another under one title: a report as one picture. Each keeps its own axes, colours and legend."""
    parts = [{key: value for key, value in chart.spec.items() if key not in {"$schema", "config"}} for chart in charts]
    lines = [line for sentence in subtitle for line in wrap(sentence, _LINE)]
    heading = {"text": title, "subtitle": lines, "fontSize": 18, "offset": 18, "subtitlePadding": 6, "subtitleLineHeight": 16}
    each = dict.fromkeys(("color", "strokeDash"), "independent")
    apart = {"legend": each, "scale": {**each, "x": "independent", "y": "independent"}}
    page: Spec = {"vconcat": parts, "resolve": apart, "spacing": 34, "padding": 20, "config": _CONFIG}
    return Chart(title, {"$schema": SCHEMA, "title": heading, **page})


def in_words(value: float, digits: int = 4) -> str:
    """A number as it is read beside a chart: thousands with commas, none with an exponent unless it is tiny.

    >>> in_words(-12545.9), in_words(0.77), in_words(211.04, 3)
    ('−12,546', '0.77', '211')
    """
    return f"{value:,.0f}".replace("-", "−") if abs(value) >= 1000 else f"{value:.{digits}g}".replace("-", "−")


def hue(names: Sequence[str]) -> Spec:
    """A colour for each of at most five values of `series`, and a legend where there is more than one."""
    return _by_series(names, (BLUE, ORANGE, GREEN, PURPLE, GREY))


def dash(names: Sequence[str]) -> Spec:
    """The same as dashes: of two lines that lie on one another both are seen."""
    return _by_series(names, ([1, 0], [7, 4], [2, 3], [10, 3], [10, 3, 2, 3]))


def _by_series(names: Sequence[str], marks: Sequence[object]) -> Spec:
    scale = {"domain": list(names), "range": list(marks[: len(names)])}
    shown: Spec = {"field": "series", "type": "nominal", "title": None, "scale": scale}
    return shown if len(names) > 1 else {**shown, "legend": None}


def layer(rows: Sequence[Mapping[str, object]], mark: Spec, encoding: Spec) -> Spec:
    return {"data": {"values": list(rows)}, "mark": mark, "encoding": encoding}
