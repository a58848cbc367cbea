"""`rewardloop warm-start`: begin with the history of an existing system."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.markup import escape

from rewardloop.cli.asking.opening import open_experiment
from rewardloop.cli.asking.options import DEFAULT, AsJson, Data, ExperimentName
from rewardloop.cli.asking.target import Only
from rewardloop.cli.telling.printing import console, print_json, warn
from rewardloop.exchange.importing import KNOWN, ImportReport


def warm_start(
    experiment: ExperimentName,
    file: Annotated[Path, Parameter(help="CSV, JSON lines, Parquet or dsjson; told apart by content.")],
    /,
    *,
    only: Only = None,
    data: Data = DEFAULT,
    json: AsJson = False,
) -> None:
    with open_experiment(experiment, data) as opened:
        report = opened.warm_start(file, only)
    if json:
        print_json(report)
    else:
        _print(report, opened.settings.experiment)
    sys.exit(0 if report.imported or KNOWN in report.skipped else 1)


def _print(report: ImportReport, experiment: str) -> None:
    step = f" Next: rewardloop train {experiment}" if report.imported else ""
    console.print(f"Took in {report.imported:,} of {report.rows:,} rows.{step}")
    if report.probability_estimated:
        warn(
            f"{report.probability_estimated:,} rows had no probability: it was estimated from how often each action occurs. "
            "What is learned and evaluated from them assumes that the old system chose without looking at the context."
        )
    if report.thinned:
        warn(
            f"{report.thinned:,} rows stand for more than themselves (`pdrop`), the heaviest for {report.most_stood_for:g} events: "
            "as many of the lighter ones were left out by chance as make every row count alike"
        )
    for reason, lines in report.skipped.items():
        console.print(f"[yellow]Left out[/] {lines.n:,}: {escape(reason)} (first at line {lines.first_line})")
