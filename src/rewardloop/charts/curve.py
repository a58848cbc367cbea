"""Reward over time: is it learning, and how far from what could be had?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rewardloop.charts.chart import BLUE, GREEN, GREY, ORANGE, PURPLE, Chart, Spec, layer, layered
from rewardloop.errors import InvalidInput

_COLOURS = (BLUE, GREY, ORANGE, GREEN, PURPLE)
_DASHES = ([1, 0], [2, 3], [6, 3], [10, 3], [10, 3, 2, 3])


def learning_curve(
    decisions: Sequence[int],
    rewards: Sequence[float],
    *,
    references: Mapping[str, float],
    title: str,
    band: Sequence[tuple[float, float]] | None = None,
    name: str = "this policy",
) -> Chart:
    """Mean reward of each window against the number of decisions at its end, over horizontal reference lines.

    `references` (at most four) are rewards to compare with: uniform, best fixed arm, full information. `band` holds the lower and
    upper bound of each window's mean. Raises `InvalidInput` where the lengths differ.

    >>> chart = learning_curve([500, 1000], [0.2, 0.6], references={"uniform": 0.1}, title="digits")
    >>> [row["reward"] for row in chart.spec["layer"][0]["data"]["values"]]
    [0.2, 0.6]
    """
    if not len(decisions) == len(rewards) == len(rewards if band is None else band) or len(references) >= len(_COLOURS):
        counts = f"{len(decisions)}, {len(rewards)} and {len(rewards if band is None else band)}"
        raise InvalidInput(f"Expected as many rewards and bounds as decisions and at most 4 references, got {counts}")
    series = _series([name, *references])
    rows = [{"decisions": n, "reward": reward, "series": name} for n, reward in zip(decisions, rewards, strict=True)]
    lines = [{"reward": value, "series": label} for label, value in references.items()]
    shade = [_shade(decisions, band)] if band is not None else []
    return layered(title, [_curve(rows, series), *shade, _references(lines, series)])


def _series(names: Sequence[str]) -> Spec:
    shown = {"field": "series", "type": "nominal", "title": None}
    n = len(names)
    return {
        "color": {**shown, "scale": {"domain": list(names), "range": list(_COLOURS[:n])}},
        "strokeDash": {**shown, "scale": {"domain": list(names), "range": list(_DASHES[:n])}},
    }


def _reward(title: str = "mean reward") -> Spec:
    return {"field": "reward", "type": "quantitative", "title": title, "scale": {"zero": False, "nice": True}}


def _decisions() -> Spec:
    return {"field": "decisions", "type": "quantitative", "title": "decisions", "axis": {"format": ",d", "tickCount": 8}}


def _curve(rows: Sequence[Mapping[str, object]], series: Spec) -> Spec:
    tooltip = [
        {"field": "decisions", "type": "quantitative", "format": ",d"},
        {"field": "reward", "type": "quantitative", "format": ".4f"},
    ]
    mark = {"type": "line", "strokeWidth": 2.5, "point": {"size": 18, "filled": True}}
    return layer(rows, mark, {"x": _decisions(), "y": _reward(), **series, "tooltip": tooltip})


def _shade(decisions: Sequence[int], band: Sequence[tuple[float, float]]) -> Spec:
    rows = [{"decisions": n, "reward": low, "upper": high} for n, (low, high) in zip(decisions, band, strict=True)]
    encoding = {"x": _decisions(), "y": _reward(), "y2": {"field": "upper"}}
    return layer(rows, {"type": "area", "opacity": 0.18, "color": BLUE}, encoding)


def _references(rows: Sequence[Mapping[str, object]], series: Spec) -> Spec:
    tooltip = [{"field": "series", "type": "nominal"}, {"field": "reward", "type": "quantitative", "format": ".4f"}]
    return layer(rows, {"type": "rule", "strokeWidth": 1.5}, {"y": _reward(), **series, "tooltip": tooltip})
