"""The tail of importance weights: how much of the answer hangs on how few events."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from rewardloop.charts.chart import Chart, Spec, dash, hue, layer, layered

Point = tuple[float, float]

_FEW_DECADES = 3


def weight_tail(tails: Mapping[str, Sequence[Point]], *, title: str) -> Chart:
    """One stepped line a policy (at most five) through its points (w, share of the events with a weight of at least w), both > 0.

    Both axes are logarithmic: a straight line that goes far to the right is a heavy tail.
    """
    rows = [{"series": name, "weight": w, "share": share} for name, points in tails.items() for w, share in points]
    weight, share = (_decades([float(point[axis]) for points in tails.values() for point in points]) for axis in (0, 1))
    encoding = {
        "x": _axis("weight", "importance weight w", weight, ",~g"),
        "y": _axis("share", "share of events with a weight ≥ w", (share[0], 1.0), "~%"),
        "color": hue(list(tails)),
        "strokeDash": dash(list(tails)),
        "tooltip": [{"field": name, "type": "quantitative", "format": ".4g"} for name in ("weight", "share")],
    }
    mark = {"type": "line", "interpolate": "step-before", "strokeWidth": 2}
    return layered(title, [layer(rows, mark, encoding)], height=220)


def _axis(field: str, title: str, domain: Point, form: str) -> Spec:
    scale = {"type": "log", "domain": list(domain), "nice": False}
    axis = {"format": form, "values": _ticks(domain)}
    return {"field": field, "type": "quantitative", "title": title, "scale": scale, "axis": axis}


def _ticks(domain: Point) -> list[float]:
    """Powers of ten, with their doubles and quintuples where there are few; vega would draw all nine between two.

    >>> _ticks((0.1, 10.0))
    [0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0]
    """
    low, high = round(math.log10(domain[0])), round(math.log10(domain[1]))
    between = ("1", "2", "5") if high - low <= _FEW_DECADES else ("1",)
    ticks = [float(f"{digit}e{power}") for power in range(low, high + 1) for digit in between]
    return [tick for tick in ticks if tick <= domain[1]]


def _decades(values: Sequence[float]) -> Point:
    """Whole powers of ten around the values.

    >>> _decades([0.3, 1.0]), _decades([])
    ((0.1, 1.0), (0.1, 10.0))
    """
    low, high = (math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))) if values else (-1, 1)
    return 10.0**low, 10.0 ** max(high, low + 1)
