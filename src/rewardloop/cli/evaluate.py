"""`rewardloop evaluate`: is the new model better than the hosted one?"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from rich.markup import escape

from rewardloop.cli.asking.opening import open_experiment
from rewardloop.cli.asking.options import DEFAULT, AsJson, Data, ExperimentName, ModelId
from rewardloop.cli.telling.printing import console, print_json, print_table, warn
from rewardloop.cli.telling.writing import ReportFiles, check_reports, write_reports
from rewardloop.evaluation import EvaluationReport, GateReport, RankedReport
from rewardloop.loop.experiment import Experiment
from rewardloop.reports import evaluation_page, evaluation_picture, ranked_table

GATE_SAID_NO = 3


def evaluate(
    experiment: ExperimentName,
    model_id: ModelId | None = None,
    /,
    *,
    report: ReportFiles = (),
    data: Data = DEFAULT,
    json: AsJson = False,
) -> None:
    check_reports(report)
    with open_experiment(experiment, data) as opened:
        gate = _reported(opened, model_id, report) if report else opened.evaluate(model_id)
        recorded = opened.catalog.writable
    if json:
        print_json(gate)
    else:
        _print(gate)
    if not recorded:
        warn(f"{data} cannot be written: this is as of the last join, and the verdict is not recorded")
    sys.exit(0 if gate.passed else GATE_SAID_NO)


def _reported(opened: Experiment, model_id: str | None, paths: Sequence[Path]) -> GateReport:
    found: EvaluationReport = opened.report(model_id)
    page, picture = (lambda: evaluation_page(found)), (lambda: evaluation_picture(found))
    write_reports(paths, {".html": page, ".png": picture, ".json": found.to_json})
    return found.gate


def _print(report: GateReport) -> None:
    rows = [
        (policy, estimator, f"{found.value:.4f}", f"{found.lower:.4f} … {found.upper:.4f}", f"{found.n:,}", f"{found.ess:,.0f}")
        for policy, estimator, found in report.rows()
    ]
    if rows:
        level = report.logged.level if report.logged else 0.95
        print_table(("policy", "estimator", ">value", f">{level:.0%} interval", ">events", ">effective"), rows)
        console.print()
    if report.rankings is not None:
        _print_rankings(report.rankings)
    if report.excluded:
        told = "; ".join(f"{n:,} × {reason}" for reason, n in report.excluded.items())
        console.print(f"{sum(report.excluded.values()):,} held-out events were left out: {escape(told)}")
    for rule in report.rules:
        console.print(f"{'[green]✓[/]' if rule.passed else '[red]✗[/]'} {escape(rule.sentence)}")
    console.print(f"[bold]{escape(report.summary)}[/]")


def _print_rankings(found: RankedReport) -> None:
    console.print(f"Whole rankings ({found.n_incomplete:,} incomplete, not used):")
    if found.kinds:
        shown = ranked_table(found)
        print_table(shown.header, shown.rows)
    console.print()
