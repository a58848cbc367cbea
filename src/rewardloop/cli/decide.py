"""`rewardloop decide`: one decision from the shell."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter
from rich.markup import escape

from rewardloop.cli.opening import open_experiment
from rewardloop.cli.options import DEFAULT, AsJson, Data, ExperimentName
from rewardloop.cli.printing import console, print_json
from rewardloop.errors import InvalidInput
from rewardloop.features import load_json, parse_actions


def decide(
    experiment: ExperimentName,
    /,
    *,
    context: Annotated[str, Parameter(name=["--context", "-c"], help="A JSON object: what is known now.")] = "{}",
    actions: Annotated[
        str | None, Parameter(name=["--actions", "-a"], help="A JSON array: what is on offer; needed without fixed actions.")
    ] = None,
    event_id: Annotated[str | None, Parameter(help="Your own id of the event; by default one is made.")] = None,
    explore: Annotated[bool, Parameter(negative="--no-explore", help="The best action, without the exploration floor.")] = True,
    data: Data = DEFAULT,
    json: AsJson = False,
) -> None:
    with open_experiment(experiment, data) as opened:
        decision = opened.decide(_object(context, "--context"), _array(actions, "--actions"), event_id=event_id, explore=explore)
        chosen = parse_actions(decision.actions).ids[decision.action]
    if json:
        answer = {"event_id": decision.event_id, "action": chosen, "index": decision.action}
        print_json({**answer, "probability": decision.probability, "model_id": decision.model_id})
    else:
        named = f" --experiment {opened.settings.experiment}" if event_id else ""
        console.print(f"[bold]{escape(chosen)}[/]  with probability {decision.probability:.4g}, by {decision.model_id}")
        console.print(f"[dim]reward it:[/] rewardloop reward {escape(decision.event_id)} 1{named}")


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
