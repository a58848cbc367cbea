"""`rewardloop rollback`: host the previous model again."""

from __future__ import annotations

from rewardloop.cli.options import DEFAULT, Data, ExperimentName
from rewardloop.cli.printing import console
from rewardloop.loop.experiment import Experiment


def rollback(experiment: ExperimentName, /, *, data: Data = DEFAULT) -> None:
    """Host again what was hosted before; once more goes one further back.

    Example: rewardloop rollback offers
    """
    with Experiment.open(experiment, data) as opened:
        deployment = opened.roll_back()
    console.print(f"[bold]{deployment.model_id}[/] is hosted again")
