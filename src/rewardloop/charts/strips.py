"""Strip charts: several quantities over the same steps, one narrow panel each, below one another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rewardloop.charts.chart import BLUE, Chart, hue, layer, layered, stacked
from rewardloop.errors import InvalidInput

_HEIGHT = 90
_POINTS = 2_000


def strips(
    title: str, steps: Sequence[float], panels: Mapping[str, Mapping[str, Sequence[float]]], *, x: str, subtitle: Sequence[str] = ()
) -> Chart:
    """`panels`: name of a panel → name of a line (at most five) → its value at each step. Long series are thinned to 2,000 points.

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
    return stacked(title, [_panel(name, steps[::every], lines, every, x) for name, lines in panels.items()], subtitle=subtitle)


def _panel(name: str, steps: Sequence[float], lines: Mapping[str, Sequence[float]], every: int, x: str) -> Chart:
    rows = [
        {"x": step, "y": value, "series": line}
        for line, values in lines.items()
        for step, value in zip(steps, values[::every], strict=True)
    ]
    across = {"field": "x", "type": "quantitative", "title": x, "axis": {"tickCount": 8}}
    up = {"field": "y", "type": "quantitative", "title": None, "scale": {"zero": False, "nice": True}}
    colour = hue(list(lines)) if len(lines) > 1 else {"value": BLUE}
    mark = {"type": "line", "strokeWidth": 1.5, "interpolate": "step-after"}
    return layered(name, [layer(rows, mark, {"x": across, "y": up, "color": colour})], width=620, height=_HEIGHT)
