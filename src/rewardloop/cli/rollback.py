"""`rewardloop rollback`: host the previous model again."""

from __future__ import annotations

from rewardloop.cli.asking.opening import open_experiment
from rewardloop.cli.asking.options import DEFAULT, Data, ExperimentName
from rewardloop.cli.telling.printing import console


def rollback(experiment: ExperimentName, /, *, data: Data = DEFAULT) -> None:
    with open_experiment(experiment, data) as opened:
        deployment = opened.roll_back()
    console.print(f"[bold]{deployment.model_id}[/] is hosted again")
