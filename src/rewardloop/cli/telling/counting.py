"""A bar while something is counted, on standard error and gone when it is done; nothing where nobody looks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from rewardloop.cli.telling.printing import console


class Count:
    """How many there are so far."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress, self._task = progress, task

    def one_more(self) -> None:
        self._progress.advance(self._task)

    def reached(self, n: int) -> None:
        self._progress.update(self._task, completed=n)


@contextmanager
def counted(what: str, total: int, n_before: int = 0) -> Iterator[Count]:
    """Of `total`, of which some may have been done before."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not console.is_terminal) as progress:
        yield Count(progress, progress.add_task(escape(what), total=total, completed=n_before))
