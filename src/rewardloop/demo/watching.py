"""How the demonstration looks: a live picture on a terminal, now and then a line anywhere else, and the last table."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from rewardloop.clock import SECOND, Clock
from rewardloop.demo.scores import Scores
from rewardloop.worlds.classification import References

WIDTH = 80
_EVERY = 4
"""Windows between two lines where there is no terminal."""


class Show(Protocol):
    """Called after each batch: with the scores so far, and whether a window has just ended."""

    def __call__(self, scores: Scores, window_ended: bool) -> None: ...


@contextmanager
def watching(console: Console, rounds: int, references: References, clock: Clock) -> Iterator[Show]:
    """What to call while playing."""
    started_at = clock.now()
    if not console.is_terminal:
        yield lambda scores, window_ended: _line(console, scores, rounds) if window_ended and _due(scores) else None
        return
    with Live(console=console, refresh_per_second=8, transient=False) as live:
        yield lambda scores, _: live.update(_picture(scores, rounds, references, (clock.now() - started_at) // SECOND))


def _due(scores: Scores) -> bool:
    return len(scores.means) % _EVERY == 0 or len(scores.means) <= _EVERY


def _line(console: Console, scores: Scores, rounds: int) -> None:
    console.print(f"{scores.rounds:>7,} of {rounds:,} rounds  reward {scores.newest:.3f}  {scores.models[-1]}")


def _picture(scores: Scores, rounds: int, references: References, seconds: int) -> Group:
    grid = Table.grid(padding=(0, 2))
    grid.add_row("[dim]reward[/]", f"[green]{scores.curve}[/] [bold]{scores.newest:.3f}[/]")
    grid.add_row("[dim]rounds[/]", _progress(scores.rounds, rounds, seconds))
    grid.add_row("[dim]model[/]", f"{scores.models[-1]}, {max(len(scores.models) - 1, 0)} hosted so far")
    grid.add_row("[dim]others[/]", _others(references))
    return Group(grid)


def _progress(done: int, rounds: int, seconds: int) -> Table:
    row = Table.grid(padding=(0, 1))
    row.add_row(ProgressBar(total=rounds, completed=done, width=40), f"{done:,}/{rounds:,}  {seconds // 60}:{seconds % 60:02d}")
    return row


def _others(references: References) -> str:
    return (
        f"[dim]uniform {references.uniform:.3f} · best fixed arm {references.best_fixed:.3f} · "
        f"full information {references.skyline:.3f}[/]"
    )


def summary(scores: Scores, references: References) -> Table:
    """The final table."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name, justify in (("policy", "left"), ("mean reward", "right"), ("of the skyline", "right")):
        table.add_column(name, justify="right" if justify == "right" else "left", no_wrap=True)
    rows = {
        "uniform": references.uniform,
        "best fixed arm": references.best_fixed,
        "bandit, all rounds": scores.mean,
        f"bandit, last {scores.window:,} rounds": scores.newest,
        "full-information skyline": references.skyline,
    }
    for name, value in rows.items():
        style = "bold green" if name.startswith("bandit") else ""
        table.add_row(name, f"{value:.3f}", f"{value / references.skyline:.0%}", style=style)
    return table
