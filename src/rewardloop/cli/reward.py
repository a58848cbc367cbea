"""`rewardloop reward`: one reward from the shell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from cyclopts import Parameter
from rich.markup import escape

from rewardloop.cli.asking.opening import open_event
from rewardloop.cli.asking.options import DEFAULT, Data, EventExperiment, EventId
from rewardloop.cli.telling.printing import console
from rewardloop.errors import InvalidInput


def reward(
    event_id: EventId,
    value: Annotated[float, Parameter(help="Higher is better.")],
    /,
    *,
    experiment: EventExperiment = None,
    reward_id: Annotated[str, Parameter(show_default=False, help="Your own id of this reward: sent twice, it counts once.")] = "",
    final: Annotated[bool, Parameter(show_default=False, help="No later reward of this event counts.")] = False,
    slot: Annotated[
        str, Parameter(show_default=False, help="The slot, or the position in a ranking; by default the whole event.")
    ] = "",
    metric: Annotated[
        tuple[str, ...],
        Parameter(show_default=False, help="What else was measured, such as cost=1.2, for guardrails; repeat for more."),
    ] = (),
    data: Data = DEFAULT,
) -> None:
    with open_event(event_id, experiment, data) as opened:
        opened.reward(event_id, value, reward_id=reward_id, final=final, slot=slot, metrics=_metrics(metric))
    console.print(f"Recorded {value:g} for {escape(event_id)}")


def _metrics(told: Sequence[str]) -> dict[str, float]:
    return dict(map(_metric, told))


def _metric(told: str) -> tuple[str, float]:
    name, _, number = told.partition("=")
    try:
        return name, float(number)
    except ValueError:
        raise InvalidInput(f"Expected a name and a number such as cost=1.2, got `{told[:80]}`", at="--metric") from None
