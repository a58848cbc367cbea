"""Strip charts: several quantities over the same steps, one narrow panel each, below one another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rewardloop.charts.chart import BLUE, GREEN, Chart, Spec, hue, layer, layered, stacked
from rewardloop.errors import InvalidInput

_HEIGHT = 90
_POINTS = 2_000


def strips(
    title: str,
    steps: Sequence[float],
    panels: Mapping[str, Mapping[str, Sequence[float]]],
    *,
    x: str,
    subtitle: Sequence[str] = (),
    bands: Mapping[str, tuple[float, float]] | None = None,
) -> Chart:
    """`panels`: name of a panel → name of a line (at most five) → its value at each step. Long series are thinned to 2,000 points.

    `bands`: name of a panel → the range it should stay in, which is shaded. The axis is named once, at the foot.

    Raises `InvalidInput` where a line is not as long as the steps.

    >>> chart = strips("One day", [0, 1], {"temperature": {"zone": [21.0, 22.5]}}, x="step")
    >>> len(chart.spec["vconcat"])
    1
    """
    for name, lines in panels.items():
        for line, values in lines.items():
            if len(values) != len(steps):
                raise InvalidInput(f"Expected {len(steps)} values of `{line}` in `{name}`, got {len(values)}")
    every = max(1, -(-len(steps) // _POINTS))
    shaded = bands or {}
    titles = [None] * (len(panels) - 1) + [x]
    drawn = [
        _panel(name, steps[::every], _thinned(lines, every), title, shaded.get(name))
        for title, (name, lines) in zip(titles, panels.items(), strict=True)
    ]
    return stacked(title, drawn, subtitle=subtitle)


def _thinned(lines: Mapping[str, Sequence[float]], every: int) -> dict[str, Sequence[float]]:
    return {line: values[::every] for line, values in lines.items()}


def _panel(
    name: str, steps: Sequence[float], lines: Mapping[str, Sequence[float]], x: str | None, band: tuple[float, float] | None
) -> Chart:
    rows = [
        {"x": step, "y": value, "series": line} for line, values in lines.items() for step, value in zip(steps, values, strict=True)
    ]
    across = {"field": "x", "type": "quantitative", "title": x, "axis": {"tickCount": 8}, "scale": {"nice": False}}
    up = {"field": "y", "type": "quantitative", "title": None, "scale": {"zero": False, "nice": True}}
    colour = hue(list(lines)) if len(lines) > 1 else {"value": BLUE}
    mark = {"type": "line", "strokeWidth": 1.5, "interpolate": "step-after"}
    shown = [layer(rows, mark, {"x": across, "y": up, "color": colour})]
    return layered(name, [*_shade(band, up), *shown], width=620, height=_HEIGHT)


def _shade(band: tuple[float, float] | None, up: Spec) -> list[Spec]:
    """Behind the lines, from side to side."""
    if band is None:
        return []
    return [
        layer([{"y": band[0], "to": band[1]}], {"type": "rect", "color": GREEN, "opacity": 0.1}, {"y": up, "y2": {"field": "to"}})
    ]
