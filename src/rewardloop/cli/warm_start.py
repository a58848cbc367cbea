"""`rewardloop warm-start`: begin with the history of an existing system."""

from __future__ import annotations

from pathlib import Path

from rewardloop.cli.options import DEFAULT, AsJson, Data, ExperimentName
from rewardloop.cli.printing import console, print_json
from rewardloop.loop.experiment import Experiment


def warm_start(experiment: ExperimentName, file: Path, /, *, data: Data = DEFAULT, json: AsJson = False) -> None:
    """Take in logged decisions (context, action, probability, reward) from CSV, JSON lines, Parquet or dsjson.

    Example: rewardloop warm-start offers.yaml history.csv
    """
    with Experiment.open(experiment, data) as opened:
        report = opened.warm_start(file)
    if json:
        print_json(report)
        return
    console.print(f"Took in {report.imported} of {report.rows} rows. Next: rewardloop train {opened.settings.experiment}")
    if report.probability_estimated:
        console.print(
            f"[bold yellow]{report.probability_estimated} rows had no probability: it was estimated from how often each action "
            "occurs.[/] What is learned and evaluated from them assumes that the old system chose without looking at the context."
        )
    for reason, lines in report.skipped.items():
        console.print(f"[yellow]Left out[/] {lines.n}: {reason} (first at line {lines.first_line})")
