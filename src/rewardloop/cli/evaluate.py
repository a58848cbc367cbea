"""`rewardloop evaluate`: is the new model better than the hosted one?"""

from __future__ import annotations

import sys

from rich.table import Table

from rewardloop.cli.options import DEFAULT, AsJson, Data, ExperimentName
from rewardloop.cli.printing import console, print_json
from rewardloop.evaluation import GateReport
from rewardloop.loop.experiment import Experiment


def evaluate(experiment: ExperimentName, model_id: str | None = None, /, *, data: Data = DEFAULT, json: AsJson = False) -> None:
    """Estimate from held-out events what a model (by default the newest) would earn, and ask the gate. Exit code 3 if it says no.

    Example: rewardloop evaluate offers offers.4
    """
    with Experiment.open(experiment, data) as opened:
        report = opened.evaluate(model_id)
    if json:
        print_json(report)
    else:
        _print(report)
    sys.exit(0 if report.passed else 3)


def _print(report: GateReport) -> None:
    table = Table("policy", "estimator", "value", "95 % interval", "n", "ESS", box=None, pad_edge=False)
    for policy, estimator, estimate in report.rows():
        interval = f"{estimate.lower:.4f} … {estimate.upper:.4f}"
        table.add_row(policy, estimator, f"{estimate.value:.4f}", interval, str(estimate.n), f"{estimate.ess:.0f}")
    console.print(table)
    for rule in report.rules:
        console.print(f"{'[green]✓[/]' if rule.passed else '[red]✗[/]'} {rule.sentence}")
    console.print(f"[bold]{report.verdict.replace('_', ' ')}[/]: {report.summary}")
