"""`rewardloop canary`: let a model decide a share of traffic."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from rewardloop.cli.asking.opening import open_experiment
from rewardloop.cli.asking.options import DEFAULT, Data, ExperimentName, ModelId, Sticky
from rewardloop.cli.telling.printing import console


def canary(
    experiment: ExperimentName,
    model_id: ModelId,
    /,
    *,
    share: Annotated[float | None, Parameter(help="Of decisions, between 0 and 1; by default as the settings say.")] = None,
    sticky: Sticky = None,
    data: Data = DEFAULT,
) -> None:
    with open_experiment(experiment, data) as opened:
        step = opened.canary(model_id, share, sticky)
    console.print(
        f"[bold]{model_id}[/] makes {step.share:.2%} of decisions, {step.champion} the others. "
        "`rewardloop run` takes it back where it does harm."
        f"  Host it: rewardloop promote {opened.settings.experiment}"
    )
