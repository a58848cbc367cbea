"""What single columns of a raw row say, of whichever type a file holds them in. Each raises `InvalidInput` with its place."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from rewardloop.actions import ActionSet, parse_actions
from rewardloop.clock import SECOND
from rewardloop.errors import InvalidInput
from rewardloop.events import MAX_EVENT_ID
from rewardloop.exchange.rows import Values
from rewardloop.json_values import load_json

TOLERANCE = 1e-3
"""A logged pmf must sum to 1 and agree with the logged probability within this (dsjson rounds to 32 bits)."""

RESERVED = {
    "action", "reward", "probability", "action_prob", "actions", "context", "observation", "pmf", "event_id", "timestamp",
    "sample_prob", "model_id", "experiment",
}  # fmt: skip
"""Columns that have a meaning of their own, and are no features."""


def context_of(values: Values) -> object:
    """Of `context`, of the list `observation`, or all columns that say nothing else."""
    if "observation" in values:
        return _observed(parsed(values["observation"], "$.observation"))
    if "context" in values:
        return parsed(values["context"], "$.context")
    return {name: value for name, value in values.items() if name not in RESERVED}


def _observed(value: object) -> dict[str, object]:
    """The list of 2019. Of numbers it is an array; with texts among them, each feature gets the name it would have in one."""
    if not isinstance(value, list) or not any(isinstance(item, str) for item in value):
        return {"observation": value}
    return {f"observation[{i}]": item for i, item in enumerate(value)}


def parsed(value: object, at: str) -> object:
    """CSV and Parquet hold JSON as text."""
    return load_json(value.encode("utf-8", "replace"), at) if isinstance(value, str) else value


def actions_of(values: Values, fixed: ActionSet | None) -> tuple[ActionSet, tuple[str, ...]]:
    """The set to log, and the ids in the order that the row's own pmf has."""
    if "actions" not in values:
        if fixed is None:
            raise InvalidInput("Expected `actions`, as the experiment has no fixed ones; got none", at="$.actions")
        return fixed, fixed.ids
    own = parse_actions(msgspec.json.encode(parsed(values["actions"], "$.actions")))
    if fixed is None:
        return own, own.ids
    for action_id in own.ids:
        fixed.index(action_id, "$.actions")
    return fixed, own.ids


def action_id(value: object) -> str:
    """The id as text; a whole number counts as its digits. Raises `InvalidInput`."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise InvalidInput("Expected the id of an action", at="$.action")
    return str(value)


def probability_of(values: Values) -> float | None:
    """Logged at decision time, under either name; None where there is none."""
    name = "probability" if "probability" in values else "action_prob"
    if values.get(name) is None:
        return None
    probability = number(values, name, 0, 1)
    if probability == 0:
        raise InvalidInput("Expected a probability above 0: an action of probability 0 cannot have been chosen", at=f"$.{name}")
    return probability


def pmf_of(value: object, offered: Sequence[str], actions: ActionSet) -> tuple[float, ...] | None:
    """(K,) in the order of `actions`, of which a row may offer some."""
    if value is None:
        return None
    numbers = parsed(value, "$.pmf")
    shares = [float(p) for p in numbers if isinstance(p, float | int) and 0 <= p <= 1] if isinstance(numbers, list) else []
    if not isinstance(numbers, list) or not len(shares) == len(numbers) == len(offered) or abs(sum(shares) - 1) > TOLERANCE:
        raise InvalidInput(f"Expected {len(offered)} probabilities that sum to 1", at="$.pmf")
    by_id = dict(zip(offered, shares, strict=True))
    return tuple(by_id.get(action_id, 0.0) for action_id in actions.ids)


def number(values: Values, name: str, low: float, high: float) -> float:
    """A finite one within both bounds."""
    value = values.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidInput("Expected a number, got none" if value is None else "Expected a number", at=f"$.{name}")
    if not low <= value <= high or not math.isfinite(value):
        bounds = f" from {low:g} to {high:g}" if math.isfinite(low) else ""
        raise InvalidInput(f"Expected a finite number{bounds}", at=f"$.{name}")
    return float(value)


def event_id_of(value: object) -> str | None:
    """None where the row has none."""
    if value is None:
        return None
    text = str(value)
    if not 0 < len(text) <= MAX_EVENT_ID:
        raise InvalidInput(f"Expected an event id of 1 to {MAX_EVENT_ID} characters", at="$.event_id")
    return text


def instant_of(value: object) -> int | None:
    """Microseconds from ISO 8601 (UTC where it names no zone), a Parquet timestamp, or a number of seconds."""
    try:
        if isinstance(value, str):
            value = datetime.fromisoformat(value)
        if isinstance(value, datetime):
            value = (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
        instant = int(value * SECOND) if isinstance(value, int | float) else None
    except (ValueError, OverflowError):
        instant = -1
    if instant is not None and not 0 <= instant < 1 << 60:
        raise InvalidInput("Expected an instant", at="$.timestamp")
    return instant
