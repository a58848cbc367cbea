"""Raw rows of another system's history become decisions with their rewards: native rows, the joined rows of 2019, dsjson.

Native: `action`, `reward`, `probability` (or `action_prob`; may be missing), and the context under `context` or as all other
columns; further `actions` (what was offered), `pmf`, `event_id`, `timestamp`, `sample_prob`, `model_id`. Where the actions are
continuous, `values` and `density` in place of `action` and `probability`. 2019: the context is the list `observation`, and actions
count from 1. dsjson: one event of Azure's Decision Service a line, its slots and its continuous actions included.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from rewardloop.cells import Cells
from rewardloop.clock import SECOND
from rewardloop.errors import InvalidInput
from rewardloop.events import MAX_EVENT_ID, Choice, Decision
from rewardloop.exchange.dsjson import is_dsjson, native_from_dsjson, stands_for
from rewardloop.exchange.dsjson_slots import slots_from_dsjson
from rewardloop.exchange.rows import Values
from rewardloop.features import ActionSet, load_json, parse_actions, parse_context
from rewardloop.slots import apart

TOLERANCE = 1e-3
"""A logged pmf must sum to 1 and agree with the logged probability within this (dsjson rounds to 32 bits)."""

_RESERVED = {
    "action", "reward", "probability", "action_prob", "actions", "context", "observation", "pmf", "event_id", "timestamp",
    "sample_prob", "model_id",
}  # fmt: skip


_NO_RANGE = "Expected a discrete action: a continuous one needs an experiment of `actions: {low, high, cells}`"


class HistoryRow(msgspec.Struct, frozen=True):
    """One decision of the past, with its reward."""

    line: int
    context: bytes
    actions: ActionSet
    action: int
    """Index among `actions`, from 0."""
    reward: float
    probability: float | None
    """None where the other system kept none."""
    pmf: tuple[float, ...] | None = None
    event_id: str | None = None
    decided_at: int | None = None
    sample_prob: float | None = None
    model_id: str = "history"
    values: tuple[float, ...] = ()
    """A continuous action, of which `action` is the cell."""
    density: float = 0.0
    slots: tuple[Choice, ...] = ()
    """Where several slots were filled: `action`, `probability`, `pmf` and `reward` are then those of the first."""
    rewards: tuple[float, ...] = ()
    """Of each slot."""
    stands_for: float = 1.0
    """Events of the other system, as it logged only a share of such."""


def history_row(line: int, values: Values, fixed: ActionSet | None) -> HistoryRow:
    """A row understood; `fixed` are the experiment's arms, if it has any. Raises `InvalidInput` saying what is wrong."""
    if not is_dsjson(values):
        return _single(line, values, fixed)
    native, weight = native_from_dsjson(values), stands_for(values)
    row = _slotted(line, native, values, fixed) if "_outcomes" in values else _single(line, native, fixed)
    return row if weight == 1 else msgspec.structs.replace(row, stands_for=weight)


def _single(line: int, values: Values, fixed: ActionSet | None) -> HistoryRow:
    context = msgspec.json.encode(_context(values))
    parse_context(context)
    if "values" in values and "action" not in values and "actions" not in values and (fixed is None or fixed.cells is None):
        raise InvalidInput(_NO_RANGE, at="$.values")
    actions, offered = _actions(values, fixed)
    drawn = _drawn(values, actions.cells)
    action = _cell(values, drawn) if drawn else actions.index(action_id(values.get("action")), "$.action")
    pmf = _pmf(values.get("pmf"), offered, actions)
    probability = drawn.probability if drawn and drawn.probability and pmf is None else _probability(values)
    if pmf is not None and probability is not None and abs(pmf[action] - probability) > TOLERANCE:
        raise InvalidInput("Expected `pmf` to hold the probability of the action", at="$.pmf")
    return HistoryRow(
        line,
        context,
        actions,
        action,
        _number(values, "reward", -math.inf, math.inf),
        probability if pmf is None else pmf[action],
        pmf,
        _event_id(values.get("event_id")),
        _instant(values.get("timestamp")),
        _number(values, "sample_prob", 0, 1) if "sample_prob" in values else None,
        str(values.get("model_id", "history"))[:MAX_EVENT_ID],
        (drawn.value,) if drawn else (),
        drawn.density if drawn else 0.0,
    )


def _slotted(line: int, native: Values, values: Values, fixed: ActionSet | None) -> HistoryRow:
    """One row for all slots of a dsjson event; `native` is what they share."""
    context = msgspec.json.encode(native["context"])
    own = parse_actions(msgspec.json.encode(native["actions"]))
    slots = slots_from_dsjson(values, context, own, fixed)
    first = slots.choices[0]
    rewards = tuple(_number({"reward": reward}, "reward", -math.inf, math.inf) for reward in slots.rewards)
    return HistoryRow(
        line,
        context,
        parse_actions(first.actions) if first.actions else fixed or own,
        first.action,
        rewards[0],
        first.probability,
        first.pmf,
        _event_id(native.get("event_id")),
        _instant(native.get("timestamp")),
        model_id=str(native.get("model_id", "history"))[:MAX_EVENT_ID],
        slots=slots.choices,
        rewards=rewards,
    )


def slot_rows(row: HistoryRow) -> list[HistoryRow]:
    """An ordinary row a slot; a row without slots as it is."""
    if not row.slots:
        return [row]
    pmf = row.pmf or ()
    whole = Decision(row.event_id or "", "", "", 0, row.context, row.actions.raw, pmf, row.action, 0.0, 0, 0.0, slots=row.slots)
    return [
        HistoryRow(
            row.line,
            part.context,
            parse_actions(part.actions),
            part.action,
            reward,
            part.probability,
            part.pmf if part.pmf[0] == part.pmf[0] else None,
            part.event_id if row.event_id else None,
            row.decided_at,
            row.sample_prob,
            row.model_id,
            stands_for=row.stands_for,
        )
        for part, reward in zip(apart(whole), row.rewards, strict=True)
    ]


class _Drawn(NamedTuple):
    """A continuous action, as far as a row tells."""

    value: float
    density: float
    cell: int
    probability: float | None
    """density · width of the cell: what makes the ratio of densities at the value that of the cells' probabilities."""


def _drawn(values: Values, cells: Cells | None) -> _Drawn | None:
    """None where the row names the cell only, or the actions are discrete."""
    if "values" not in values or (cells is None and "action" in values):
        return None
    if cells is None:
        raise InvalidInput(_NO_RANGE, at="$.values")
    listed = _parsed(values["values"], "$.values")
    value = _number(
        {"values": listed[0] if isinstance(listed, list) and len(listed) == 1 else listed}, "values", -math.inf, math.inf
    )
    cell = cells.cell(value, "$.values")
    if values.get("density") is None:
        return _Drawn(value, math.inf, cell, None)
    density = _number(values, "density", 0, math.inf)
    if density == 0 or density * cells.width > 1 + TOLERANCE:
        most = f"{1 / cells.width:g}, 1 over the width of a cell"
        raise InvalidInput(f"Expected a density above 0, up to {most}, got {density:g}: more `cells` allow more", at="$.density")
    return _Drawn(value, density, cell, min(density * cells.width, 1.0))


def _cell(values: Values, drawn: _Drawn) -> int:
    """The one that the row names, which rounding has not moved, or that of its value."""
    named = values.get("action")
    if named is None:
        return drawn.cell
    cell = int(number) - 1 if (number := action_id(named)).isdecimal() else -2
    if abs(cell - drawn.cell) > 1:
        raise InvalidInput("Expected `action` to be the cell of the value", at="$.action")
    return cell


def _context(values: Values) -> object:
    if "observation" in values:
        return _observed(_parsed(values["observation"], "$.observation"))
    if "context" in values:
        return _parsed(values["context"], "$.context")
    return {name: value for name, value in values.items() if name not in _RESERVED}


def _observed(value: object) -> dict[str, object]:
    """The list of 2019. Of numbers it is an array; with texts among them, each feature gets the name it would have in one."""
    if not isinstance(value, list) or not any(isinstance(item, str) for item in value):
        return {"observation": value}
    return {f"observation[{i}]": item for i, item in enumerate(value)}


def _parsed(value: object, at: str) -> object:
    """CSV and Parquet hold JSON as text."""
    return load_json(value.encode("utf-8", "replace"), at) if isinstance(value, str) else value


def _actions(values: Values, fixed: ActionSet | None) -> tuple[ActionSet, tuple[str, ...]]:
    """The set to log, and the ids in the order that the row's own pmf has."""
    if "actions" not in values:
        if fixed is None:
            raise InvalidInput("Expected `actions`, as the experiment has no fixed ones; got none", at="$.actions")
        return fixed, fixed.ids
    own = parse_actions(msgspec.json.encode(_parsed(values["actions"], "$.actions")))
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


def _probability(values: Values) -> float | None:
    name = "probability" if "probability" in values else "action_prob"
    if values.get(name) is None:
        return None
    probability = _number(values, name, 0, 1)
    if probability == 0:
        raise InvalidInput("Expected a probability above 0: an action of probability 0 cannot have been chosen", at=f"$.{name}")
    return probability


def _pmf(value: object, offered: Sequence[str], actions: ActionSet) -> tuple[float, ...] | None:
    if value is None:
        return None
    numbers = _parsed(value, "$.pmf")
    shares = [float(p) for p in numbers if isinstance(p, float | int) and 0 <= p <= 1] if isinstance(numbers, list) else []
    if not isinstance(numbers, list) or not len(shares) == len(numbers) == len(offered) or abs(sum(shares) - 1) > TOLERANCE:
        raise InvalidInput(f"Expected {len(offered)} probabilities that sum to 1", at="$.pmf")
    by_id = dict(zip(offered, shares, strict=True))
    return tuple(by_id.get(action_id, 0.0) for action_id in actions.ids)


def _number(values: Values, name: str, low: float, high: float) -> float:
    value = values.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidInput("Expected a number, got none" if value is None else "Expected a number", at=f"$.{name}")
    if not low <= value <= high or not math.isfinite(value):
        bounds = f" from {low:g} to {high:g}" if math.isfinite(low) else ""
        raise InvalidInput(f"Expected a finite number{bounds}", at=f"$.{name}")
    return float(value)


def _event_id(value: object) -> str | None:
    if value is None:
        return None
    text = str(value)
    if not 0 < len(text) <= MAX_EVENT_ID:
        raise InvalidInput(f"Expected an event id of 1 to {MAX_EVENT_ID} characters", at="$.event_id")
    return text


def _instant(value: object) -> int | None:
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
