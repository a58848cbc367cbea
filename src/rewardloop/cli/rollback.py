"""`rewardloop rollback`: host the previous model again."""

from __future__ import annotations

from rewardloop.cli.opening import open_experiment
from rewardloop.cli.options import DEFAULT, Data, ExperimentName
from rewardloop.cli.printing import console


def rollback(experiment: ExperimentName, /, *, data: Data = DEFAULT) -> None:
    with open_experiment(experiment, data) as opened:
        deployment = opened.roll_back()
    console.print(f"[bold]{deployment.model_id}[/] is hosted again")
