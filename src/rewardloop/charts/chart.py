"""The type every chart function returns: a Vega-Lite specification. Pages, notebooks and files render the same one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Spec = Mapping[str, object]

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
"""Names the dialect; nothing is loaded from there."""
BLUE, ORANGE, GREEN, GREY, PURPLE = "#0072b2", "#d55e00", "#009e73", "#767676", "#aa4499"
"""Okabe & Ito (2008), told apart by everyone, and dark enough on white."""
_FONT = "system-ui, sans-serif"
_CONFIG: Spec = {
    "view": {"stroke": None},
    "axis": {"labelFont": _FONT, "titleFont": _FONT, "gridColor": "#e6e6e6", "domainColor": GREY, "tickColor": GREY},
    "legend": {"labelFont": _FONT, "titleFont": _FONT, "orient": "bottom", "symbolType": "stroke", "symbolSize": 400},
    "title": {"font": _FONT, "anchor": "start", "fontWeight": 600},
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


def layer(rows: Sequence[Mapping[str, object]], mark: Spec, encoding: Spec) -> Spec:
    return {"data": {"values": list(rows)}, "mark": mark, "encoding": encoding}
