"""A bandit against an A/B test on a log, as a table, a page and a picture."""

from __future__ import annotations

from rewardloop.charts import Chart, Section, Table, forest_plot, stacked, to_page, to_png
from rewardloop.comparing import Replayed, Way

_READ = """\
Both ways of choosing went through the log, and an event counts for one of them where it would have shown what was shown, by
rejection sampling with the logged probabilities. So each sees real rewards only, and about the same number of visitors; all other
events are left out. A run is a resample of the log in its order; the intervals are of the spread over the runs, and say how far
another log would be off.

An event's reward is that of the time it was logged. What the log never did cannot be replayed, and a short replay is no
long test."""

_WEIGHTED = """\
Both ways of choosing went through the log, and every event counts for each of them by its importance weight: what it would have
shown over what was shown. Both learn from every event, whatever they would have shown, so they know as much as the log could tell:
more than their own decisions would have told early, and less where the log seldom looked. A run is a resample of the log in
its order; the intervals are of the spread over the runs, heavy weights included. The effective number of events (ess) says how many
of its own decisions would tell as much.

An event's reward is that of the time it was logged. What the log never did cannot be replayed."""


def replayed_page(found: Replayed) -> str:
    """One self-contained HTML page."""
    facts = Table(("", ""), replayed_facts(found))
    sections = [
        Section("How to read this", (_WEIGHTED if found.replay == "importance" else _READ).split("\n\n")),
        Section("What was earned", [replayed_table(found), *_charts(found)]),
        Section("The replay and the test", [facts]),
    ]
    return to_page(_title(found), found.summary, sections)


def replayed_picture(found: Replayed) -> bytes:
    """The mean rewards with their intervals as a PNG."""
    return to_png(stacked(_title(found), _charts(found), subtitle=[found.summary]))


def replayed_table(found: Replayed) -> Table:
    """The A/B test, each bandit, and the log as it was."""
    rows = [*map(_row, (found.ab_test, *found.bandits)), ("as logged", f"{found.logged:.4g}", "", "", "")]
    return Table(("", ">mean reward", ">95% interval", ">over A/B", ">beats A/B"), rows)


def replayed_facts(found: Replayed) -> list[tuple[str, str]]:
    """What could be replayed, how the test was run and how it ended."""
    design = found.design
    out = ", ".join(f"{arm} {share:.0%}" for arm, share in sorted(found.winners.items(), key=lambda each: -each[1])[:5])
    return [
        ("used", f"{_used(found)}, {found.runs:,} runs, seed {found.seed}"),
        ("split", f"even, for at most {design.share:.0%} of the visitors; looks: {design.looks}, level {design.level:g} in all"),
        ("ended after", f"{found.ended_after.value:,.0f} visitors on average"),
        ("significant", f"in {found.significant:.0%} of the runs; in the others the leader was rolled out"),
        ("rolled out", out),
    ]


def _used(found: Replayed) -> str:
    if found.replay == "rejection":
        return f"{found.n_used:,.0f} of {found.n_events:,} events a run"
    worth = ", ".join(f"{way.name} {way.ess:,.0f}" for way in (found.ab_test, *found.bandits) if way.ess is not None)
    return f"{found.n_events:,} events a run by their weights; ess: {worth}"


def _row(way: Way) -> tuple[str, ...]:
    mean = way.mean_reward
    gain = "" if way.gain is None else f"{way.gain.value:+.4g}"
    wins = "" if way.wins is None else f"{way.wins:.0%}"
    return way.name, f"{mean.value:.4g}", f"{mean.lower:.4g} … {mean.upper:.4g}", gain, wins


def _charts(found: Replayed) -> list[Chart]:
    rows = {way.name: way.mean_reward for way in (found.ab_test, *found.bandits)}
    return [forest_plot(rows, title="Mean reward a visitor", reference=found.logged, counting="runs")]


def _title(found: Replayed) -> str:
    return f"Bandit against A/B test, replayed: {found.log}"
