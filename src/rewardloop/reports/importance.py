"""The importance of features as a page and as a picture."""

from __future__ import annotations

from rewardloop.charts import Chart, Section, Table, bars, stacked, to_page, to_png
from rewardloop.clock import isoformat
from rewardloop.evaluation import FeatureImportance, PolicyReport
from rewardloop.evaluation.documents.explained import label

SHOWN = 25
"""Bars in the chart; the table has all."""

_READ = """\
Each feature is taken away by showing the policy that of another event instead; what it then earns less is what the feature is worth
to it. The line through a bar is where the truth may lie: a bar whose line crosses zero is not shown to matter.

Two features that say the same hide each other: the policy reads one where the other is gone. Of twenty features that do nothing,
one on average has a line that misses zero."""


def importance_page(report: PolicyReport) -> str:
    """One self-contained HTML page."""
    sections = [
        Section("How to read this", _READ.split("\n\n")),
        Section("What each feature is worth", [_chart(report), importance_table(report)]),
        Section("What was looked at", [looked_at(report)]),
    ]
    return to_page(_title(report), report.summary, sections)


def importance_picture(report: PolicyReport) -> bytes:
    """The chart as a PNG."""
    return to_png(stacked(_title(report), [_chart(report)], subtitle=[report.summary]))


def importance_table(report: PolicyReport) -> Table:
    """The largest loss first."""
    level = report.importance.value.level
    header = ("feature", ">mean reward lost", f">{level:.0%} interval", ">decisions changed", ">columns")
    return Table(header, [_row(feature) for feature in report.importance.features])


def looked_at(report: PolicyReport) -> Table:
    """On what, and what was left out."""
    found = report.importance
    rows = [
        ("model", f"{report.model_id}, as served: estimated to earn {found.value}"),
        ("data set", f"{report.dataset}, up to {isoformat(report.watermark)}"),
        ("held-out events", f"{found.value.n:,}"),
        ("never varies", f"{found.n_constant:,} left out: no policy can lose by them"),
        *([("beyond the bound", f"{found.n_beyond:,} left out: others vary on more events")] if found.n_beyond else []),
        *((f"events left out: {reason}", f"{n:,}") for reason, n in found.excluded.items()),
    ]
    return Table(("", ""), rows)


def _row(feature: FeatureImportance) -> tuple[str, ...]:
    loss = feature.loss
    interval = f"{loss.lower:+.4f} … {loss.upper:+.4f}"
    return label(feature.of, feature.name), f"{loss.value:+.4f}", interval, f"{feature.changed:.1%}", f"{feature.n_features:,}"


def _chart(report: PolicyReport) -> Chart:
    shown = {label(feature.of, feature.name): feature.loss for feature in report.importance.features[:SHOWN]}
    intervals = {name: (loss.lower, loss.upper) for name, loss in shown.items()}
    values = {name: loss.value for name, loss in shown.items()}
    unit = f"mean reward lost without it, {report.importance.value.level:.0%} interval"
    return bars(values, title="What each feature is worth", unit=unit, intervals=intervals)


def _title(report: PolicyReport) -> str:
    return f"What {report.model_id} decides by"
