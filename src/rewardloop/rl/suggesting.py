"""How an environment is best learned, as the environment itself says: what a plan leaves open is taken from there. Trains nothing.

An environment says it by a method `suggestions()`: algorithm → `normalise`, `parameters` (hyperparameters of toolkit `sb3`) and
`environment` (parameters of its own while it is trained on, such as rewards that are easier to learn from).
"""

from __future__ import annotations

from typing import Any

import msgspec

from rewardloop.errors import InvalidInput
from rewardloop.rl.environments import make_env, offered
from rewardloop.rl.toolkit import Plan

TOOLKIT = "sb3"
REMOTE = "remote:"
"""A simulator elsewhere is not made to connect twice: it suggests nothing."""


class Suggestion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For one algorithm."""

    normalise: bool = False
    parameters: dict[str, Any] = {}
    environment: dict[str, Any] = {}


def with_suggestions(plan: Plan) -> Plan:
    """The plan, completed; itself where nothing is suggested. Raises `InvalidInput` for a suggestion that is none."""
    if plan.toolkit != TOOLKIT or plan.env.id.startswith(REMOTE) or (found := _suggested(plan)) is None:
        return plan
    only_trained_on = {name: value for name, value in found.environment.items() if name not in plan.env.parameters}
    return msgspec.structs.replace(
        plan,
        training_parameters=only_trained_on,
        normalise=plan.normalise or found.normalise,
        parameters={**found.parameters, **plan.parameters},
    )


def _suggested(plan: Plan) -> Suggestion | None:
    env = make_env(plan.env, timeout_s=plan.step_timeout_s)
    try:
        offer = offered(env, "suggestions", {})
        return msgspec.convert(offer, dict[str, Suggestion]).get(plan.algorithm)
    except msgspec.ValidationError as error:
        raise InvalidInput(f"`suggestions` of `{plan.env.id}` are none: {error}", at="--env") from None
    finally:
        env.close()
