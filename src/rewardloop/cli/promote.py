"""`rewardloop promote`: host the model on trial."""

from __future__ import annotations

from rewardloop.cli.opening import open_experiment
from rewardloop.cli.options import DEFAULT, Data, ExperimentName
from rewardloop.cli.printing import console


def promote(experiment: ExperimentName, /, *, data: Data = DEFAULT) -> None:
    with open_experiment(experiment, data) as opened:
        step = opened.promote()
    console.print(f"[bold]{step.challenger}[/] is hosted. Back with: rewardloop rollback {opened.settings.experiment}")
