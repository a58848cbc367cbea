"""`rewardloop ramp`: let a model decide more and more."""

from __future__ import annotations

from rewardloop.cli.asking.opening import open_experiment
from rewardloop.cli.asking.options import DEFAULT, Data, ExperimentName, ModelId, Sticky
from rewardloop.cli.telling.printing import console


def ramp(experiment: ExperimentName, model_id: ModelId, /, *, sticky: Sticky = None, data: Data = DEFAULT) -> None:
    with open_experiment(experiment, data) as opened:
        step = opened.ramp(model_id, sticky)
    path = " → ".join(f"{share:.2%}" for share in (step.share, *step.shares, 1.0))
    console.print(f"[bold]{model_id}[/] makes {path} of decisions, a step whenever `rewardloop run` has found no harm")
