"""One decision, explained, as a page and as a picture."""

from __future__ import annotations

from rewardloop.charts import Chart, Section, Table, bars, stacked, to_page, to_png
from rewardloop.clock import isoformat
from rewardloop.evaluation import Contribution, DecisionReport
from rewardloop.evaluation.documents.explained import label, plain, shown_value

SHOWN = 25
"""Bars in the chart; the table has all."""
_FELT = 0.0005
"""A smaller change of a probability has no bar."""

_READ = """\
Each feature in turn is given its typical value (the median of a number, the most frequent of a word), the others staying as they
are. What the probability of the chosen action then loses is what the feature's value did for it.

Effects of single features need not add up: two that act only together both show the whole effect."""


def decision_page(report: DecisionReport) -> str:
    """One self-contained HTML page."""
    sections = [
        Section("How to read this", _READ.split("\n\n")),
        Section("What each feature did", [*_charts(report), decision_table(report)]),
        Section("What was looked at", [looked_at(report)]),
    ]
    return to_page(_title(report), report.summary, sections)


def decision_picture(report: DecisionReport) -> bytes:
    """The chart as a PNG; where every feature is typical, the sentence alone."""
    return to_png(stacked(_title(report), _charts(report), subtitle=[report.summary]))


def decision_table(report: DecisionReport) -> Table:
    """The strongest first."""
    header = ("feature", "here", "typical", ">probability if typical", ">effect")
    return Table(header, [_row(feature) for feature in report.contributions.features])


def looked_at(report: DecisionReport) -> Table:
    """Which decision, and what it was held against."""
    found = report.contributions
    rows = [
        ("event", f"{report.event_id}, decided {isoformat(report.decided_at)} by {report.model_id}"),
        ("chosen", f"{found.action}, with probability {found.probability:.4g}; the policy's favourite was {found.favourite}"),
        ("were all features typical", f"its probability would be {found.typical_probability:.4g}"),
        ("typical here too", f"{found.n_typical:,} features, which therefore changed nothing"),
        ("typical is said by", f"{report.n_typical:,} events of data set {report.dataset}"),
        *([("beyond the bound", f"{found.n_beyond:,} features left out")] if found.n_beyond else []),
    ]
    return Table(("", ""), rows)


def _row(feature: Contribution) -> tuple[str, ...]:
    value, usual = shown_value(feature.value), shown_value(feature.typical)
    return label(feature.of, feature.name), value, usual, f"{feature.probability:.4f}", f"{feature.change:+.4f}"


def _charts(report: DecisionReport) -> list[Chart]:
    felt = [feature for feature in report.contributions.features if abs(feature.change) >= _FELT][:SHOWN]
    shown = {f"{label(f.of, f.name)} = {shown_value(f.value)}": f.change for f in felt}
    title = f"What each feature did for {plain(report.contributions.action)}"
    return [bars(shown, title=title, unit="change in the probability of the chosen action")] if shown else []


def _title(report: DecisionReport) -> str:
    return plain(f"Why {report.contributions.action}? Decision {report.event_id}")
