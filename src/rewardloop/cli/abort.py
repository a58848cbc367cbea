"""`rewardloop abort`: take the model on trial back."""

from __future__ import annotations

from rewardloop.cli.asking.opening import open_experiment
from rewardloop.cli.asking.options import DEFAULT, Data, ExperimentName
from rewardloop.cli.telling.printing import console


def abort(experiment: ExperimentName, /, *, data: Data = DEFAULT) -> None:
    with open_experiment(experiment, data) as opened:
        step = opened.abort()
    console.print(f"[bold]{step.challenger}[/] is taken back; {step.champion} decides everything")
