"""`rewardloop score`: a model's answers for every row of a file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.markup import escape

from rewardloop.cli.asking.opening import open_experiment
from rewardloop.cli.asking.options import DEFAULT, AsJson, Data, ExperimentName, ModelId
from rewardloop.cli.telling.printing import console, print_json, warn
from rewardloop.loop.scoring.files import check_suffix


def score(
    experiment: ExperimentName,
    source: Annotated[Path, Parameter(help="JSON lines, CSV or Parquet; told apart by content. A row is a context.")],
    out: Annotated[Path, Parameter(help="Where to: .jsonl, .csv or .parquet; replaced once all of it is written.")],
    /,
    *,
    model: Annotated[ModelId | None, Parameter(name=["--model", "-m"], help="By default the hosted one.")] = None,
    data: Data = DEFAULT,
    json: AsJson = False,
) -> None:
    check_suffix(out)
    with open_experiment(experiment, data) as opened, console.status("") as status:
        report = opened.score(source, out, model, on_progress=lambda n: status.update(f"{n:,} rows"))
    if json:
        print_json(report)
    else:
        console.print(f"Wrote {report.scored:,} rows to {escape(report.out)}, scored by {report.model_id}")
    for bad in report.bad:
        warn(f"Left out line {bad.line}: {bad.why}")
    if report.n_bad > len(report.bad):
        warn(f"… and {report.n_bad - len(report.bad):,} more")
    sys.exit(1 if report.n_bad else 0)
