"""The slots of Decision Service JSON, as `Choice`s: `_slots` and `_outcomes` of VW's CCB, and slates, whose actions name a slot.

Indices count from 0 here, `_a[0]` was shown, and `_a`, `_p` hold what was left for the slot. In a slate they count within it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from rewardloop.actions import ActionSet, parse_actions
from rewardloop.errors import InvalidInput
from rewardloop.events import MAX_SLOTS, Choice
from rewardloop.exchange.dsjson.reading import actions_of, multi, plain, reward_of
from rewardloop.exchange.rows import Values
from rewardloop.features import parse_context
from rewardloop.slots import check_free, parse_slot

_SUM = 1e-3
"""A slot's probabilities sum to 1 within this, or its distribution is not known."""


class Slots(NamedTuple):
    """What each slot of one event showed, and what that earned."""

    choices: tuple[Choice, ...]
    rewards: tuple[object, ...]


class _Slot(NamedTuple):
    """One slot as it stands in a row."""

    id: str
    features: dict[str, object]
    included: object
    """Indices that it may take; None: all."""
    actions: ActionSet
    own: bool


def slots_from_dsjson(values: Values, context: bytes, actions: ActionSet, fixed: ActionSet | None) -> Slots:
    """`actions` are the row's own, `fixed` the experiment's, where it has any. Raises `InvalidInput`."""
    outcomes = values["_outcomes"]
    if not isinstance(outcomes, list) or not 1 <= len(outcomes) <= MAX_SLOTS:
        raise InvalidInput(f"Expected 1 to {MAX_SLOTS} slots", at="$._outcomes")
    check_free(parse_context(context), "$.c")
    slots = _slots(values, outcomes, actions)
    if fixed is not None and any(slot.own for slot in slots):
        raise InvalidInput("Expected slots that share the experiment's actions, got some with their own", at="$.c._multi")
    positions = [slot.id for slot in slots] == [str(i + 1) for i in range(len(slots))] and not any(slot.features for slot in slots)
    choices: list[Choice] = []
    for i, (slot, outcome) in enumerate(zip(slots, outcomes, strict=True)):
        taken = set() if slot.own else {choice.action for choice in choices}
        choice = _choice(slot, outcome, None if slot.own else fixed, taken, f"$._outcomes[{i}]")
        choices.append(choice if positions else _with_features(choice, slot, context, f"$.c._slots[{i}]"))
    default = values.get("_label_cost")
    return Slots(tuple(choices), tuple(reward_of(outcome.get("_label_cost", default)) for outcome in outcomes))


def _slots(values: Values, outcomes: Sequence[object], actions: ActionSet) -> list[_Slot]:
    shared = values["c"]
    told = shared.get("_slots") if isinstance(shared, dict) else None
    if not isinstance(told, list) or len(told) != len(outcomes):
        raise InvalidInput(f"Expected {len(outcomes)} slots, one an outcome", at="$.c._slots")
    sets = _own_actions(values, len(told))
    slots = []
    for i, (item, outcome) in enumerate(zip(told, outcomes, strict=True)):
        if not isinstance(item, dict) or not isinstance(outcome, dict):
            raise InvalidInput("Expected an object", at=f"$.c._slots[{i}]" if isinstance(outcome, dict) else f"$._outcomes[{i}]")
        named = item.get("_id", outcome.get("_id"))
        slot = str(named) if isinstance(named, str | int) and str(named) else str(i + 1)
        features = plain(item)
        assert isinstance(features, dict)
        slots.append(_Slot(slot, features, item.get("_inc"), sets[i] if sets else actions, bool(sets)))
    if len({slot.id for slot in slots}) < len(slots):
        raise InvalidInput("Expected unique slot ids", at="$.c._slots")
    return slots


def _own_actions(values: Values, n_slots: int) -> list[ActionSet]:
    """Of a slate, the actions of each slot; otherwise none."""
    items = multi(values)
    places = [item.get("_slot_id") for item in items]
    if all(place is None for place in places):
        return []
    if not set(places) == set(range(n_slots)):
        raise InvalidInput(f"Expected actions of every slot, their `_slot_id` from 0 to {n_slots - 1}", at="$.c._multi")
    by_slot = [[item for item, own in zip(items, places, strict=True) if own == i] for i in range(n_slots)]
    return [parse_actions(msgspec.json.encode(actions_of(own)), "$.c._multi") for own in by_slot]


def _choice(slot: _Slot, outcome: dict[str, object], fixed: ActionSet | None, taken: set[int], at: str) -> Choice:
    """What one slot showed, its actions numbered as the experiment's fixed ones are, where it has any."""
    shown, shares = _indices(outcome.get("_a"), len(slot.actions), f"{at}._a"), _shares(outcome.get("_p"), f"{at}._p")
    if len(shown) != len(shares):
        raise InvalidInput(f"Expected {len(shown)} probabilities, one an action", at=f"{at}._p")
    offered = fixed or slot.actions
    place = [offered.index(name, "$.c._multi") for name in slot.actions.ids] if fixed else range(len(slot.actions))
    allowed = range(len(slot.actions)) if slot.included is None else _indices(slot.included, len(slot.actions), "$.c._slots._inc")
    excluded = tuple(sorted({*range(len(offered))} - {place[i] for i in allowed}))
    by_action = {place[i]: share for i, share in zip(shown, shares, strict=True)}
    action = place[shown[0]]
    if by_action.keys() & (taken | set(excluded)):
        raise InvalidInput("Expected what no slot above shows and what the slot may take, got another action", at=f"{at}._a")
    known = abs(sum(shares) - 1) <= _SUM
    pmf = tuple(by_action.get(i, 0.0) if known else float("nan") for i in range(len(offered)))
    raw = slot.actions.raw if slot.own else b""
    return Choice(slot.id, action, by_action[action], pmf, b"", excluded, raw)


def _with_features(choice: Choice, slot: _Slot, context: bytes, at: str) -> Choice:
    features = msgspec.json.encode(slot.features)
    parse_slot(context, slot.id, features, at)
    return msgspec.structs.replace(choice, features=features)


def _indices(value: object, n: int, at: str) -> list[int]:
    found = [i for i in value if isinstance(i, int) and 0 <= i < n] if isinstance(value, list) else []
    if not isinstance(value, list) or not found or len(set(found)) != len(value):
        raise InvalidInput(f"Expected distinct indices of actions, from 0 to {n - 1}", at=at)
    return found


def _shares(value: object, at: str) -> list[float]:
    shares = [float(p) for p in value if isinstance(p, int | float) and 0 <= p <= 1] if isinstance(value, list) else []
    if not isinstance(value, list) or len(shares) != len(value) or not shares or not shares[0]:
        raise InvalidInput("Expected probabilities, the first of them above 0", at=at)
    return shares
