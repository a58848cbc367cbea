"""`rewardloop decide`: one decision from the shell."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from rewardloop.cli.options import DEFAULT, AsJson, Data, ExperimentName
from rewardloop.cli.printing import console, print_json
from rewardloop.errors import InvalidInput
from rewardloop.features import load_json, parse_actions
from rewardloop.loop.experiment import Experiment


def decide(
    experiment: ExperimentName,
    /,
    *,
    context: Annotated[str, Parameter(name=["--context", "-c"], help="A JSON object.")] = "{}",
    actions: Annotated[str | None, Parameter(name=["--actions", "-a"], help="A JSON array; needed without fixed actions.")] = None,
    event_id: Annotated[str | None, Parameter(help="Your own id of the event.")] = None,
    data: Data = DEFAULT,
    json: AsJson = False,
) -> None:
    """Choose an action in this process, and log the decision.

    Example: rewardloop decide offers -c '{"age": 31}'
    """
    with Experiment.open(experiment, data) as opened:
        decision = opened.decide(_object(context, "--context"), _array(actions, "--actions"), event_id=event_id)
        chosen = parse_actions(decision.actions).ids[decision.action]
    if json:
        answer = {"event_id": decision.event_id, "action": chosen, "index": decision.action}
        print_json({**answer, "probability": decision.probability, "model_id": decision.model_id})
    else:
        console.print(f"[bold]{chosen}[/]  with probability {decision.probability:.4g}, by {decision.model_id}")
        console.print(f"[dim]reward it:[/] rewardloop reward {decision.event_id} 1")


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
