"""`rewardloop deploy`: host a model."""

from __future__ import annotations

from rewardloop.cli.options import DEFAULT, Data, ExperimentName
from rewardloop.cli.printing import console
from rewardloop.loop.experiment import Experiment


def deploy(experiment: ExperimentName, model_id: str, /, *, data: Data = DEFAULT) -> None:
    """Host a model in every serving worker, without a failed request; whatever the gate said of it.

    Example: rewardloop deploy offers offers.4
    """
    with Experiment.open(experiment, data) as opened:
        opened.deploy(model_id)
    console.print(f"[bold]{model_id}[/] is hosted. Back with: rewardloop rollback {experiment}")
