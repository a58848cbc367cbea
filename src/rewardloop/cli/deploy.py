"""`rewardloop deploy`: host a model."""

from __future__ import annotations

from rewardloop.cli.asking.opening import open_experiment
from rewardloop.cli.asking.options import DEFAULT, Data, ExperimentName, ModelId
from rewardloop.cli.telling.printing import console


def deploy(experiment: ExperimentName, model_id: ModelId, /, *, data: Data = DEFAULT) -> None:
    with open_experiment(experiment, data) as opened:
        opened.deploy(model_id)
    console.print(f"[bold]{model_id}[/] is hosted. Back with: rewardloop rollback {opened.settings.experiment}")
