"""Shares of a whole over time: which actions are chosen, and how that changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rewardloop.charts.chart import BLUE, GREEN, GREY, ORANGE, PURPLE, Chart, layer, layered
from rewardloop.errors import InvalidInput

_COLOURS = (BLUE, ORANGE, GREEN, PURPLE, "#e69f00", "#56b4e9", "#f0e442", GREY)
OTHERS = "others"


def shares(steps: Sequence[int], counts: Mapping[str, Sequence[int]], *, title: str, x: str) -> Chart:
    """What part of each step's count has each name, stacked to 1. The seven largest are named; the rest are `others`.

    `steps`: where each ends. Raises `InvalidInput` where the lengths differ.

    >>> chart = shares([100, 200], {"red": [60, 90], "green": [40, 10]}, title="What was chosen", x="decisions")
    >>> [row["share"] for row in chart.spec["layer"][0]["data"]["values"]]
    [0.6, 0.9, 0.4, 0.1]
    """
    for name, column in counts.items():
        if len(column) != len(steps):
            raise InvalidInput(f"Expected {len(steps)} counts of `{name}`, got {len(column)}")
    shown = _largest(counts)
    totals = [sum(column) or 1 for column in zip(*shown.values(), strict=True)]
    rows = [
        {"step": step, "share": n / total, "series": name, "order": i}
        for i, (name, column) in enumerate(shown.items())
        for step, n, total in zip(steps, column, totals, strict=True)
    ]
    across = {"field": "step", "type": "quantitative", "title": x, "axis": {"format": ",d", "tickCount": 8}}
    up = {"field": "share", "type": "quantitative", "title": "share", "stack": True, "scale": {"domain": [0, 1]}}
    legend = {"symbolType": "square", "symbolSize": 120}
    colour = {"field": "series", "type": "nominal", "title": None, "legend": legend, "scale": _scale(list(shown))}
    encoding = {"x": across, "y": {**up, "axis": {"format": ".0%"}}, "color": colour, "order": {"field": "order"}}
    return layered(title, [layer(rows, {"type": "area", "opacity": 0.85}, encoding)], height=200)


def _largest(counts: Mapping[str, Sequence[int]]) -> dict[str, Sequence[int]]:
    """At most eight, in the order given."""
    room = len(_COLOURS) if len(counts) <= len(_COLOURS) else len(_COLOURS) - 1
    named = set(sorted(counts, key=lambda name: -sum(counts[name]))[:room])
    found = {name: column for name, column in counts.items() if name in named}
    rest = [column for name, column in counts.items() if name not in named]
    return {**found, OTHERS: [sum(column) for column in zip(*rest, strict=True)]} if rest else found


def _scale(names: list[str]) -> dict[str, object]:
    return {"domain": names, "range": list(_COLOURS[: len(names)])}
