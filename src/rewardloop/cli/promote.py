"""`rewardloop promote`: host the model on trial."""

from __future__ import annotations

from rewardloop.cli.asking.opening import open_experiment
from rewardloop.cli.asking.options import DEFAULT, Data, ExperimentName
from rewardloop.cli.telling.printing import console


def promote(experiment: ExperimentName, /, *, data: Data = DEFAULT) -> None:
    with open_experiment(experiment, data) as opened:
        step = opened.promote()
    console.print(f"[bold]{step.challenger}[/] is hosted. Back with: rewardloop rollback {opened.settings.experiment}")
