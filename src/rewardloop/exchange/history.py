"""Raw rows of another system's history become decisions with their rewards: native rows, the joined rows of 2019, dsjson.

Native: `action`, `reward`, `probability` (or `action_prob`; may be missing), and the context under `context` or as all other
columns; further `actions` (what was offered), `pmf`, `event_id`, `timestamp`, `sample_prob`, `model_id`, and `experiment`, which
whoever reads the file looks at. Where the actions are continuous, `values` and `density` in place of `action` and `probability`.
2019: the context is the list `observation`, and actions count from 1. dsjson: one event of Azure's Decision Service a line, its
slots and its continuous actions included.
"""

from __future__ import annotations

import math

import msgspec

from rewardloop.actions import ActionSet, parse_actions
from rewardloop.errors import InvalidInput
from rewardloop.events import MAX_EVENT_ID, Choice, Decision
from rewardloop.exchange.continuous_values import NO_RANGE, cell_of, drawn_value
from rewardloop.exchange.dsjson.reading import is_dsjson, native_from_dsjson, stands_for
from rewardloop.exchange.dsjson.slots import slots_from_dsjson
from rewardloop.exchange.row_values import (
    TOLERANCE,
    action_id,
    actions_of,
    context_of,
    event_id_of,
    instant_of,
    number,
    pmf_of,
    probability_of,
)
from rewardloop.exchange.rows import Values
from rewardloop.features import parse_context
from rewardloop.slots import apart


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
    context = msgspec.json.encode(context_of(values))
    parse_context(context)
    if "values" in values and "action" not in values and "actions" not in values and (fixed is None or fixed.cells is None):
        raise InvalidInput(NO_RANGE, at="$.values")
    actions, offered = actions_of(values, fixed)
    drawn = drawn_value(values, actions.cells)
    action = cell_of(values, drawn) if drawn else actions.index(action_id(values.get("action")), "$.action")
    pmf = pmf_of(values.get("pmf"), offered, actions)
    probability = drawn.probability if drawn and drawn.probability and pmf is None else probability_of(values)
    if pmf is not None and probability is not None and abs(pmf[action] - probability) > TOLERANCE:
        raise InvalidInput("Expected `pmf` to hold the probability of the action", at="$.pmf")
    return HistoryRow(
        line,
        context,
        actions,
        action,
        number(values, "reward", -math.inf, math.inf),
        probability if pmf is None else pmf[action],
        pmf,
        event_id_of(values.get("event_id")),
        instant_of(values.get("timestamp")),
        number(values, "sample_prob", 0, 1) if "sample_prob" in values else None,
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
    rewards = tuple(number({"reward": reward}, "reward", -math.inf, math.inf) for reward in slots.rewards)
    return HistoryRow(
        line,
        context,
        parse_actions(first.actions) if first.actions else fixed or own,
        first.action,
        rewards[0],
        first.probability,
        first.pmf,
        event_id_of(native.get("event_id")),
        instant_of(native.get("timestamp")),
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
