"""A comparison, an episode and a training as pictures and as pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium import spaces

from rewardloop.charts import Chart, Section, Table, bars, forest_plot, stacked, strips, to_page
from rewardloop.charts.chart import in_words
from rewardloop.rl.environments import Env
from rewardloop.rl.playing.comparing import CHANCE, Comparison
from rewardloop.rl.playing.episodes import Episode, Step
from rewardloop.rl.playing.evaluating import Evaluated
from rewardloop.rl.runs.training import Report

_PANELS = 8
_FAR = 5
"""Times as wide as without it: then a row is left off the scale."""
_UNITS = {"_kwh": "kWh", "_kw": "kW", "_kelvin_hours": "kelvin-hours"}
_INITIALS = ("hvac", "pue")
_READ = """\
Every row played the same episodes, of seeds and, where it says so, of weather that no policy was trained on. The number is the
interquartile mean of the returns with a 95 % bootstrap interval; a row of one run says how episodes differ, not how another
training would end.

The tuned constant is the best single action that was found on the environment trained on: whoever does not beat it has learned
nothing worth a network."""


def comparison_table(found: Comparison) -> Table:
    """A row a policy: score, interval, and whatever the environment measured."""
    names = list(dict.fromkeys(name for row in found.rows for name in row.metrics))
    header = ("policy", ">IQM return", ">95 % interval", ">runs", *(f">{name}" for name in names))
    rows = [
        (
            row.policy,
            f"{row.score.value:.5g}",
            f"{row.score.lower:.5g} … {row.score.upper:.5g}",
            str(row.n_runs),
            *(f"{row.metrics[name]:,.5g}" if name in row.metrics else "" for name in names),
        )
        for row in found.rows
    ]
    return Table(header, rows)


def comparison_charts(found: Comparison) -> list[Chart]:
    """The returns with their intervals, and a chart of bars for each thing measured."""
    names = list(dict.fromkeys(name for row in found.rows for name in row.metrics))
    measured = {name: {row.policy: row.metrics[name] for row in found.rows if name in row.metrics} for name in names}
    return [_returns(found.rows), *(bars(values, title=worded(name), unit="", amounts=True) for name, values in measured.items())]


def worded(metric: str) -> str:
    """The name of what an environment measures, with its unit apart.

    >>> worded("hvac_kwh"), worded("comfort_kelvin_hours"), worded("n_refused"), worded("pue")
    ('HVAC, kWh', 'comfort, kelvin-hours', 'n refused', 'PUE')
    """
    for end, unit in _UNITS.items():
        if metric.endswith(end):
            return f"{worded(metric.removesuffix(end))}, {unit}"
    return metric.upper() if metric in _INITIALS else metric.replace("_", " ")


def _returns(rows: Sequence[Evaluated]) -> Chart:
    """All but what is so far below the others that they would lie on one another."""
    ends = [bound for row in rows for bound in (row.score.lower, row.score.upper)]
    seen = [row for row in rows if row.policy != CHANCE]
    near = [bound for row in seen for bound in (row.score.lower, row.score.upper)]
    hidden = [row for row in rows if row.policy == CHANCE and near and max(ends) - min(ends) > _FAR * (max(near) - min(near))]
    words = [f"{row.policy}, {in_words(row.score.value)}, is far off this scale" for row in hidden]
    title = "Return of an episode" + (f" ({words[0]})" if words else "")
    shown = {row.policy: row.score for row in rows if row not in hidden}
    return forest_plot(shown, title=title, unit="interquartile mean", counting="episodes")


def comparison_page(found: Comparison) -> str:
    """One self-contained HTML page."""
    sections = [
        Section("How to read this", _READ.split("\n\n")),
        Section("The policies", [comparison_table(found), *comparison_charts(found)]),
    ]
    return to_page(comparison_title(found), f"Highest: {found.best.policy}, {found.best.score}", sections)


def comparison_picture(found: Comparison) -> Chart:
    return stacked(comparison_title(found), comparison_charts(found), subtitle=[f"Highest: {found.best.policy}"])


def comparison_title(found: Comparison) -> str:
    return f"{found.env.id}: {found.n_episodes} episodes each"


def episode_chart(env: Env, steps: Sequence[Step], episode: Episode, names: Sequence[str] = ()) -> Chart:
    """Rewards, actions and (the first) observations of an episode over its steps."""
    rewards = [step.reward for step in steps]
    panels: dict[str, dict[str, Sequence[float]]] = {"reward": {"reward": rewards}, "return so far": {"return": _running(rewards)}}
    panels |= _columns("action", [_flat(env.action_space, step.action) for step in steps])
    panels |= _columns("observation", [_flat(env.observation_space, step.observation) for step in steps], names)
    words = ", ".join(f"{name} {value:.5g}" for name, value in episode.metrics.items())
    title = f"One episode: return {episode.episode_return:.6g} in {episode.n_steps} steps"
    return strips(title, range(len(steps)), panels, x="step", subtitle=[words] if words else [])


def training_chart(title: str, reports: Sequence[Report]) -> Chart:
    """Returns while training and at checkpoints, over the steps."""
    told = [report for report in reports if report.progress.mean_return is not None]
    judged = [report for report in reports if report.evaluation is not None]
    parts = [
        _curve("mean return of the last 100 episodes", [(r.progress.n_steps, r.progress.mean_return) for r in told]),
        _curve("mean return of the greedy policy at checkpoints", [(r.progress.n_steps, r.evaluation) for r in judged]),
    ]
    return stacked(title, [part for part in parts if part is not None])


def _curve(name: str, points: Sequence[tuple[int, float | None]]) -> Chart | None:
    known = [(n, value) for n, value in points if value is not None]
    if not known:
        return None
    return strips(name, [n for n, _ in known], {name: {name: [value for _, value in known]}}, x="steps")


def _running(rewards: Sequence[float]) -> list[float]:
    return [float(value) for value in np.cumsum(rewards)]


def _columns(kind: str, rows: Sequence[Sequence[float]], names: Sequence[str] = ()) -> dict[str, dict[str, Sequence[float]]]:
    width = min((len(row) for row in rows), default=0)
    named = list(names) if len(names) == width else [f"{kind} {i}" for i in range(width)]
    return {name: {name: [row[i] for row in rows]} for i, name in enumerate(named[:_PANELS])}


def _flat(space: spaces.Space[Any], value: Any) -> list[float]:
    """The numbers of an observation or action; none of a picture, or of no action at all."""
    if value is None or (isinstance(space, spaces.Box) and len(space.shape) > 1):
        return []
    if isinstance(space, spaces.Dict):
        return [number for name, part in space.spaces.items() for number in _flat(part, value[name])]
    return [float(number) for number in np.asarray(value).ravel()]
