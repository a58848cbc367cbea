"""`rewardloop train`: the next model, or an old one again."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from rewardloop.cli.asking.opening import open_experiment
from rewardloop.cli.asking.options import DEFAULT, AsJson, Data, ExperimentName
from rewardloop.cli.telling.printing import console, print_json
from rewardloop.errors import InvalidInput


def train(
    experiment: ExperimentName,
    /,
    *,
    parent: Annotated[str | None, Parameter(help="Model to continue; by default the newest.")] = None,
    rebuild: Annotated[str | None, Parameter(help="Make this model again from its lineage and the log.")] = None,
    data: Data = DEFAULT,
    json: AsJson = False,
) -> None:
    if parent and rebuild:
        raise InvalidInput("Expected --parent or --rebuild, got both: a model made again has the parent it had")
    columns = (SpinnerColumn(), TextColumn("learning"), TextColumn("{task.completed:,} events"), TimeElapsedColumn())
    hidden = json or not console.is_terminal
    with open_experiment(experiment, data) as opened, Progress(*columns, transient=True, disable=hidden) as progress:
        task = progress.add_task("", total=None)
        record = opened.rebuild(rebuild) if rebuild else opened.train(parent, lambda n: progress.update(task, completed=n))
    if json:
        print_json(record)
        return
    origin = f"from {record.parent}" if record.parent else "from nothing"
    if rebuild:
        console.print(f"[bold]{record.model_id}[/], made again {origin}: the same")
    else:
        console.print(f"[bold]{record.model_id}[/], {origin}, trained on {record.n_trained:,} events of data set {record.dataset}")
        console.print(f"Next: rewardloop evaluate {opened.settings.experiment} {record.model_id}")
