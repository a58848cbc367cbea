"""A bandit against an A/B test as a table, a page and a picture."""

from __future__ import annotations

from msgspec.structs import replace

from rewardloop.charts import Chart, Section, Table, convergence, stacked, to_page, to_png
from rewardloop.comparing import LEVEL, Comparison, Earned
from rewardloop.evaluation import Estimate

_READ = """\
Every run gives the same visitors to each way of choosing, and every number is a mean over the runs; bands and intervals say how far
the mean over more runs may lie. A visitor counts with the reward to be expected of the arm shown, so luck pays nobody.

Regret is what a run earned less than the best policy known: the best arm, or, where contexts are known, a classifier that was
told every label, which no bandit is."""


def comparison_page(found: Comparison) -> str:
    """One self-contained HTML page."""
    facts = Table(("", ""), comparison_facts(found))
    sections = [
        Section("How to read this", _READ.split("\n\n")),
        Section("What was earned", [comparison_table(found), _chart(found)]),
        Section("The A/B test", [facts]),
    ]
    return to_page(_title(found), found.summary, sections)


def comparison_picture(found: Comparison) -> bytes:
    """The curves as a PNG."""
    return to_png(stacked(_title(found), [_chart(found)], subtitle=[found.summary]))


def comparison_table(found: Comparison) -> Table:
    """The A/B test, each bandit, and what needs neither."""
    header = ("", ">mean reward", ">± 95%", ">regret a run", ">± 95%", ">beats A/B")
    references = {"uniform": found.uniform, "best fixed arm": found.best_fixed, "skyline": found.skyline}
    rows = [
        (name, f"{value:.4g}", "", f"{found.visitors * (found.skyline - value):,.0f}", "", "") for name, value in references.items()
    ]
    return Table(header, [*map(_row, (found.ab_test, *found.bandits)), *rows])


def comparison_facts(found: Comparison) -> list[tuple[str, str]]:
    """How the test was run and how it ended."""
    design = found.design
    return [
        ("traffic", f"{found.runs:,} runs of {found.visitors:,} visitors, seed {found.seed}"),
        ("split", f"even, for at most {design.share:.0%} of the visitors; looks: {design.looks}, level {design.level:g} in all"),
        ("ended after", f"{found.ended_after.value:,.0f} visitors on average"),
        ("significant", f"in {found.significant:.0%} of the runs; in the others the leader was rolled out"),
        ("errors", f"an arm that is not the best was rolled out in {found.errors:.0%} of the runs"),
    ]


def _row(earned: Earned) -> tuple[str, ...]:
    mean, regret = earned.mean_reward, earned.regret
    spread = f"{mean.upper - mean.value:.2g}", f"{regret.upper - regret.value:,.0f}"
    wins = "" if earned.wins is None else f"{earned.wins:.0%}"
    return earned.name, f"{mean.value:.4g}", spread[0], f"{regret.value:,.0f}", spread[1], wins


def _chart(found: Comparison) -> Chart:
    lines = {"best fixed arm": found.best_fixed, **({"skyline": found.skyline} if found.skyline != found.best_fixed else {})}
    known = {name: (Estimate(value, value, value, LEVEL, 1, 1.0),) * len(found.windows) for name, value in lines.items()}
    curves = {earned.name: earned.curve for earned in (found.ab_test, *found.bandits)} | known
    drawn = {name: [replace(mean, n=end) for mean, end in zip(curve, found.windows, strict=True)] for name, curve in curves.items()}
    return convergence(drawn, title=f"Mean reward of every {found.windows[0]:,} visitors", axis="visitors")


def _title(found: Comparison) -> str:
    return f"Bandit against A/B test: {found.population}"
