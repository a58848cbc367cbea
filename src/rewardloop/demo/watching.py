"""What the demonstration shows while it runs, and what it leaves: a live curve, a table, a picture."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from rewardloop.demo.playing import Progress as Played
from rewardloop.demo.worlds import References

BARS = " ▁▂▃▄▅▆▇█"


class Scores:
    """Mean reward of each window of rounds, as it comes in."""

    def __init__(self, window: int) -> None:
        self.window = window
        self.rounds = 0
        self.reward = 0.0
        self.means: list[float] = []
        self.model_id = ""
        self._n = 0
        self._sum = 0.0

    def add(self, played: Played) -> None:
        self.rounds += played.n
        self.reward += played.reward
        self.model_id = played.model_id
        self._n += played.n
        self._sum += played.reward
        if self._n >= self.window:
            self.means.append(self._sum / self._n)
            self._n, self._sum = 0, 0.0

    @property
    def curve(self) -> str:
        """The means as one line of bars.

        >>> scores = Scores(window=1)
        >>> for reward in (0.0, 0.5, 1.0): scores.add(Played(1, reward, "digits.1"))
        >>> scores.curve
        ' ▄█'
        """
        return "".join(BARS[min(int(mean * (len(BARS) - 1) + 0.5), len(BARS) - 1)] for mean in self.means)


class Screen:
    """The live picture: a progress bar, the curve, the numbers to compare with."""

    def __init__(self, rounds: int, references: References) -> None:
        columns = (TextColumn("playing"), BarColumn(), TextColumn("{task.completed}/{task.total} rounds"), TimeElapsedColumn())
        self._bar = Progress(*columns)
        self._task = self._bar.add_task("", total=rounds)
        self._references = references

    def show(self, scores: Scores) -> RenderableType:
        self._bar.update(self._task, completed=scores.rounds)
        newest = f"{scores.means[-1]:.3f}" if scores.means else "…"
        line = f"reward, each bar {scores.window} rounds: [green]{scores.curve}[/] [bold]{newest}[/]  (model {scores.model_id})"
        wanted = f"[dim]uniform {self._references.uniform:.3f}, best fixed {self._references.best_fixed:.3f}, "
        return Group(self._bar, line, f"{wanted}full information {self._references.skyline:.3f}[/]")


def summary(scores: Scores, references: References) -> Table:
    """The final table."""
    table = Table("policy", "mean reward", "of the skyline", title="What each would have earned", title_justify="left")
    rows = {
        "uniform": references.uniform,
        "best fixed arm": references.best_fixed,
        "bandit, all rounds": scores.reward / max(scores.rounds, 1),
        f"bandit, last {scores.window}": scores.means[-1] if scores.means else float("nan"),
        "full-information skyline": references.skyline,
    }
    for name, value in rows.items():
        style = "bold green" if name.startswith("bandit") else ""
        table.add_row(name, f"{value:.3f}", f"{value / references.skyline:.0%}", style=style)
    return table
