"""`rewardloop evaluate`: is the new model better than the hosted one?"""

from __future__ import annotations

import sys

from rich.markup import escape

from rewardloop.cli.opening import open_experiment
from rewardloop.cli.options import DEFAULT, AsJson, Data, ExperimentName, ModelId
from rewardloop.cli.printing import console, print_json, print_table
from rewardloop.evaluation import GateReport

GATE_SAID_NO = 3


def evaluate(experiment: ExperimentName, model_id: ModelId | None = None, /, *, data: Data = DEFAULT, json: AsJson = False) -> None:
    with open_experiment(experiment, data) as opened:
        report = opened.evaluate(model_id)
    if json:
        print_json(report)
    else:
        _print(report)
    sys.exit(0 if report.passed else GATE_SAID_NO)


def _print(report: GateReport) -> None:
    rows = [
        (policy, estimator, f"{found.value:.4f}", f"{found.lower:.4f} … {found.upper:.4f}", f"{found.n:,}", f"{found.ess:,.0f}")
        for policy, estimator, found in report.rows()
    ]
    if rows:
        level = report.logged.level if report.logged else 0.95
        print_table(("policy", "estimator", ">value", f">{level:.0%} interval", ">events", ">effective"), rows)
        console.print()
    for rule in report.rules:
        console.print(f"{'[green]✓[/]' if rule.passed else '[red]✗[/]'} {escape(rule.sentence)}")
    console.print(f"[bold]{escape(report.summary)}[/]")
