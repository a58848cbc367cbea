"""`rewardloop export`: closed events for other tools."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.markup import escape

from rewardloop.cli.asking.opening import open_experiment
from rewardloop.cli.asking.options import DEFAULT, AsJson, Data, ExperimentName
from rewardloop.cli.telling.printing import console, print_json, warn


def export(
    experiment: ExperimentName,
    file: Annotated[Path, Parameter(help="Where to; replaced once all of it is written.")],
    /,
    *,
    form: Annotated[
        str | None,
        Parameter(
            name="--format",
            help="jsonl, csv, parquet, dsjson, vw, obp, sagemaker-2019 or open-bandit; by default what the file's ending says.",
        ),
    ] = None,
    data: Data = DEFAULT,
    json: AsJson = False,
) -> None:
    with open_experiment(experiment, data) as opened, console.status("") as status:
        report = opened.export(file, form, on_progress=lambda n: status.update(f"{n:,} events"))
    if json:
        print_json(report)
        return
    console.print(f"Wrote {report.written:,} closed events to {escape(str(file))}")
    if report.refused:
        warn(f"{report.refused:,} events cannot be held by that format. The first: {report.first_refusal}")
