"""`rewardloop decide`: one decision from the shell."""

from __future__ import annotations

import math
import shlex
from typing import Annotated

from cyclopts import Parameter
from rich.markup import escape

from rewardloop.actions import parse_actions
from rewardloop.cli.asking.opening import open_experiment
from rewardloop.cli.asking.options import DEFAULT, AsJson, Data, ExperimentName
from rewardloop.cli.telling.printing import console, print_json
from rewardloop.errors import InvalidInput
from rewardloop.events import Decision
from rewardloop.json_values import load_json
from rewardloop.slots import shown


def decide(
    experiment: ExperimentName,
    /,
    *,
    context: Annotated[str, Parameter(name=["--context", "-c"], help="A JSON object: what is known now.")] = "{}",
    actions: Annotated[
        str | None, Parameter(name=["--actions", "-a"], help="A JSON array: what is on offer; needed without fixed actions.")
    ] = None,
    event_id: Annotated[str | None, Parameter(help="Your own id of the event; by default one is made.")] = None,
    top_k: Annotated[int | None, Parameter(help="Rank: so many different actions, the first position first.")] = None,
    slots: Annotated[str | None, Parameter(help='A JSON array of slots to fill, such as [{"id": "top"}].')] = None,
    sticky: Annotated[str | None, Parameter(help="Such as a user's id: its decisions meet one variant of a trial.")] = None,
    explore: Annotated[
        bool, Parameter(negative="--no-explore", show_default=False, help="--no-explore: the best action, without the floor.")
    ] = True,
    data: Data = DEFAULT,
    json: AsJson = False,
) -> None:
    with open_experiment(experiment, data) as opened:
        decision = opened.decide(
            _object(context, "--context"),
            _array(actions, "--actions"),
            event_id=event_id,
            explore=explore,
            top_k=top_k,
            slots=_slots(slots),
            sticky=sticky,
        )
    if json:
        print_json(_answer(decision))
    else:
        _print(decision, f" --experiment {opened.settings.experiment}" if event_id else "")


def _answer(decision: Decision) -> dict[str, object]:
    answer = {"event_id": decision.event_id, "action": _chosen(decision), "index": decision.action}
    slots = [
        {"slot": each.slot, "action": each.action, "index": each.position, "probability": each.probability}
        for each in shown(decision)
    ]
    drawn = {"values": decision.values, "density": decision.density} if decision.values else {}
    return {
        **answer,
        "probability": decision.probability,
        "model_id": decision.model_id,
        **({"slots": slots} if slots else {}),
        **drawn,
    }


def _print(decision: Decision, named: str) -> None:
    for each in shown(decision):
        console.print(f"{escape(each.slot)}  [bold]{escape(each.action)}[/]  with probability {each.probability:.4g}")
    if decision.slots:
        console.print(f"all of it with probability {decision.joint_probability:.4g}, by {decision.model_id}")
        named = f" --slot {escape(shlex.quote(decision.slots[0].slot))}{named}"
    elif decision.values:
        values = ", ".join(f"{value:.6g}" for value in decision.values)
        density = "no density" if decision.density is None or math.isinf(decision.density) else f"density {decision.density:.4g}"
        console.print(f"[bold]{values}[/]  with {density}, by {decision.model_id}")
    else:
        console.print(f"[bold]{escape(_chosen(decision))}[/]  with probability {decision.probability:.4g}, by {decision.model_id}")
    console.print(f"[dim]reward it:[/] rewardloop reward {escape(shlex.quote(decision.event_id))} 1{named}")


def _chosen(decision: Decision) -> str:
    return shown(decision)[0].action if decision.slots else parse_actions(decision.actions).ids[decision.action]


def _slots(text: str | None) -> list[dict[str, object]]:
    slots = _array(text, "--slots") or []
    return [slot if isinstance(slot, dict) else {"id": slot} for slot in slots]


def _object(text: str, at: str) -> dict[str, object]:
    value = load_json(text.encode(), at)
    if not isinstance(value, dict):
        raise InvalidInput("Expected a JSON object, such as '{\"age\": 31}'", at=at)
    return value


def _array(text: str | None, at: str) -> list[object] | None:
    value = None if text is None else load_json(text.encode(), at)
    if value is not None and not isinstance(value, list):
        raise InvalidInput('Expected a JSON array, such as \'["red", "green"]\'', at=at)
    return value
