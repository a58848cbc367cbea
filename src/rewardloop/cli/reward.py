"""`rewardloop reward`: one reward from the shell."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from rewardloop.cli.options import DEFAULT, Data
from rewardloop.cli.printing import console
from rewardloop.loop.experiment import Experiment, experiment_of


def reward(
    event_id: str,
    value: float,
    /,
    *,
    experiment: Annotated[str | None, Parameter(help="Needed only where the event id is your own.")] = None,
    final: Annotated[bool, Parameter(negative=(), help="No later reward of this event counts.")] = False,
    data: Data = DEFAULT,
) -> None:
    """Record the reward of a decision, now or days later.

    Example: rewardloop reward 0190f7a0-0000-7003-8000-000000000001 1
    """
    with Experiment.open(experiment or experiment_of(event_id, data), data) as opened:
        opened.reward(event_id, value, final=final)
    console.print(f"Recorded {value:g} for {event_id}")
