"""`rewardloop shadow`: let a model score what the hosted one decides."""

from __future__ import annotations

from rewardloop.cli.asking.opening import open_experiment
from rewardloop.cli.asking.options import DEFAULT, Data, ExperimentName, ModelId
from rewardloop.cli.telling.printing import console


def shadow(experiment: ExperimentName, model_id: ModelId, /, *, data: Data = DEFAULT) -> None:
    with open_experiment(experiment, data) as opened:
        step = opened.shadow(model_id)
    console.print(
        f"[bold]{model_id}[/] scores {step.scored:.0%} of what {step.champion} decides; `rewardloop status` shows how it does"
    )
