"""How the demonstration looks: what is being done, how far the trainings are, and the last table. Nothing is computed here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, timedelta

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from rewardloop.clock import SECOND, Clock
from rewardloop.demo.hvac.trainings import Watch
from rewardloop.rl.playing.comparing import Comparison
from rewardloop.rl.playing.evaluating import Evaluated
from rewardloop.rl.playing.scores import saving
from rewardloop.zygote.model import YEAR

_LINE_EVERY = 10 * SECOND
_WORTH_TELLING = -1.0
"""Whoever costs twice as much has left the band, of which kelvin-hours tell."""


@contextmanager
def progress(console: Console, title: str, n_runs: int, n_steps: int, clock: Clock) -> Iterator[Watch]:
    """A bar on a terminal, a line every ten seconds anywhere else."""
    total = n_runs * n_steps
    if not console.is_terminal:
        yield _Lines(console, title, total, clock)
        return
    columns = (TextColumn("{task.description}"), BarColumn(30), TextColumn("{task.fields[words]}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(title, total=total, words="")
        yield lambda done: bar.update(task, completed=sum(done), words=_words(done, total))


class _Lines:
    def __init__(self, console: Console, title: str, total: int, clock: Clock) -> None:
        self._console, self._title, self._total, self._clock = console, title, total, clock
        self._told_at = clock.now()

    def __call__(self, done: Sequence[int]) -> None:
        if self._clock.now() - self._told_at >= _LINE_EVERY:
            self._told_at = self._clock.now()
            self._console.print(f"{self._title}: {_words(done, self._total)}")


def _words(done: Sequence[int], total: int) -> str:
    return f"{sum(done):,} of {total:,} steps, in {len(done)} trainings"


def set_points(values: Mapping[str, float]) -> str:
    """
    >>> set_points({"west_cooling": 31.84, "west_supply": 21.5})
    'west cooling 31.8 °C, west supply 21.5 °C'
    """
    return ", ".join(f"{name.replace('_', ' ')} {value:.1f} °C" for name, value in values.items())


def first_day(day: int) -> str:
    """
    >>> first_day(49)
    '18 February'
    """
    return f"{date(YEAR, 1, 1) + timedelta(days=day - 1):%-d %B}"


def summary(found: Comparison) -> Table:
    """The final table: means over the episodes, and what is saved of the cost (minus the return) of the building as designed."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("policy", "return", "saved", "95 %", "kWh", "HVAC kWh", "K·h", "PUE"):
        table.add_column(name, justify="left" if name == "policy" else "right", no_wrap=True)
    schedule = next(row for row in found.rows if row.policy == "schedule")
    for row in found.rows:
        table.add_row(*_row(row, schedule), style="bold green" if row is found.rows[-1] else "")
    return table


def _row(row: Evaluated, schedule: Evaluated) -> tuple[str, ...]:
    measured, less = row.metrics, saving(-row.returns, -schedule.returns)
    told = less.value > _WORTH_TELLING
    return (
        f"PPO, {row.n_runs} seeds" if row.policy.startswith("ppo-") else row.policy,
        f"{row.mean_return:,.1f}",
        f"{less.value:.1%}" if told else "none",
        f"{100 * less.lower:.1f} … {100 * less.upper:.1f}" if told else "",
        f"{measured['energy_kwh']:,.0f}",
        f"{measured['hvac_kwh']:,.0f}",
        f"{measured['comfort_kelvin_hours']:.2f}",
        f"{measured['pue']:.3f}",
    )
