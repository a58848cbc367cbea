"""A training as it goes: one line that moves on a terminal, a line a checkpoint elsewhere."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from rewardloop.cli.telling.printing import console, warn
from rewardloop.clock import SECOND, Clock
from rewardloop.rl.runs.training import Report


class Live:
    """Hears every report of a training. `quiet`: says nothing."""

    def __init__(self, title: str, clock: Clock, *, quiet: bool) -> None:
        self._clock = clock
        self._first: tuple[int, int] | None = None
        """Steps and instant of the first report: a training that goes on does not begin at 0."""
        self._quiet = quiet
        columns = (TextColumn("{task.description}"), BarColumn(24), TextColumn("{task.fields[words]}"), TimeRemainingColumn())
        self._bar = Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal)
        self._task = self._bar.add_task(title, total=None, words="starting")

    def __call__(self, report: Report) -> None:
        words = self._words(report)
        self._bar.update(self._task, completed=report.progress.n_steps, total=report.n_planned, words=words)
        if report.progress.checkpoint is not None and not self._quiet and not console.is_terminal:
            warn(words)

    def _words(self, report: Report) -> str:
        progress = report.progress
        parts = [f"{progress.n_steps:,} steps", *self._speed(progress.n_steps)]
        parts += [f"return {progress.mean_return:.5g}"] if progress.mean_return is not None else []
        parts += [f"evaluated {report.evaluation:.5g}"] if report.evaluation is not None else []
        parts += [f"best {report.best:.5g}"] if report.best is not None else []
        return "  ".join(parts)

    def _speed(self, n_steps: int) -> list[str]:
        now = self._clock.now()
        if self._first is None:
            self._first = n_steps, now
        steps, seconds = n_steps - self._first[0], (now - self._first[1]) / SECOND
        return [f"{steps / seconds:,.0f}/s"] if steps > 0 and seconds > 0 else []

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._bar.stop()
