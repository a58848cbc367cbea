"""`rewardloop train`: the next model, or an old one again."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from rewardloop.cli.options import DEFAULT, AsJson, Data, ExperimentName
from rewardloop.cli.printing import console, print_json
from rewardloop.loop.experiment import Experiment


def train(
    experiment: ExperimentName,
    /,
    *,
    parent: Annotated[str | None, Parameter(help="Model to continue; by default the newest.")] = None,
    rebuild: Annotated[str | None, Parameter(help="Make this model again from its lineage and the log.")] = None,
    data: Data = DEFAULT,
    json: AsJson = False,
) -> None:
    """Train the next model on what closed since its parent. It is not hosted before you evaluate and deploy it.

    Example: rewardloop train offers
    """
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TextColumn("{task.completed} events"), TimeElapsedColumn())
    with Experiment.open(experiment, data) as opened, Progress(*columns, transient=True, disable=json) as progress:
        task = progress.add_task("learning", total=None)
        record = opened.rebuild(rebuild) if rebuild else opened.train(parent, lambda n: progress.update(task, completed=n))
    if json:
        print_json(record)
        return
    origin = f"from {record.parent}" if record.parent else "from nothing"
    console.print(f"[bold]{record.model_id}[/], {origin}, trained on {record.n_trained} events of data set {record.dataset}")
    console.print(f"Next: rewardloop evaluate {experiment} {record.model_id}")
