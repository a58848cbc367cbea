"""A live A/B test as a table, a page and a picture."""

from __future__ import annotations

from rewardloop.charts import Chart, Section, Table, convergence, stacked, to_page, to_png
from rewardloop.evaluation import Estimate
from rewardloop.evaluation.randomised.two_sample import ABTest

_READ = """\
Each decision is made by A or by B, drawn with fixed probabilities, and only the difference of what the two earned is asked for. The
bands are a confidence sequence: with the probability stated the truth lies in all of them at once. So the test may be looked at
after every decision and ended at the first look that leaves out 0.

Decisions whose reward may still come are left out, and so is everything after the first of them."""


def ab_table(found: ABTest) -> Table:
    """A, B, and their difference."""
    rows = [
        (f"A  {found.a}", found.n_a, found.reward_a),
        (f"B  {found.b}", found.n_b, found.reward_b),
        ("B − A", found.n_a + found.n_b, found.difference),
    ]
    return Table(("", ">decisions", ">mean reward", f">{found.level:.0%} sequence"), [_row(*row) for row in rows])


def ab_page(found: ABTest) -> str:
    """One self-contained HTML page."""
    sections = [Section("How to read this", _READ.split("\n\n")), Section("What was earned", [ab_table(found), *_charts(found)])]
    return to_page(_title(found), found.summary, sections)


def ab_picture(found: ABTest) -> bytes:
    """The difference over time as a PNG."""
    return to_png(stacked(_title(found), _charts(found), subtitle=[found.summary]))


def _row(name: str, n: int, found: Estimate | None) -> tuple[str, ...]:
    if found is None:
        return name, f"{n:,}", "", ""
    return name, f"{n:,}", f"{found.value:.4g}", f"{found.lower:.4g} … {found.upper:.4g}"


def _charts(found: ABTest) -> list[Chart]:
    curve = {"B − A": found.curve}
    return [convergence(curve, title="B − A", unit="difference in mean reward", reference=0.0, axis="decisions")]


def _title(found: ABTest) -> str:
    return f"{'A/A' if found.a == found.b else 'A/B'} test: {found.a} against {found.b}"
