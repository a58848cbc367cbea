"""`rewardloop reward`: one reward from the shell."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter
from rich.markup import escape

from rewardloop.cli.opening import open_event
from rewardloop.cli.options import DEFAULT, Data, EventExperiment, EventId
from rewardloop.cli.printing import console


def reward(
    event_id: EventId,
    value: Annotated[float, Parameter(help="Higher is better.")],
    /,
    *,
    experiment: EventExperiment = None,
    reward_id: Annotated[str, Parameter(help="Your own id of this reward: sent twice, it counts once.")] = "",
    final: Annotated[bool, Parameter(negative=(), show_default=False, help="No later reward of this event counts.")] = False,
    slot: Annotated[str, Parameter(help="The slot, or the position in a ranking; by default the whole event.")] = "",
    data: Data = DEFAULT,
) -> None:
    with open_event(event_id, experiment, data) as opened:
        opened.reward(event_id, value, reward_id=reward_id, final=final, slot=slot)
    console.print(f"Recorded {value:g} for {escape(event_id)}")
