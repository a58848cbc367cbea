"""Closed events as Decision Service JSON, one a line, as Vowpal Wabbit's `--dsjson` and the Decision Service's tools read it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import BinaryIO

import msgspec

from rewardloop.actions import ActionSet, parse_actions
from rewardloop.errors import InvalidInput
from rewardloop.events import Choice, Decision
from rewardloop.exchange.event import ClosedEvent, ClosedSlots, iso
from rewardloop.slots import left, taken_above

_Line = dict[str, object]


class Dsjson:
    """cost = −reward; `a` and `p` begin with the chosen action, `a` counting from 1. An action's id is its `_tag`.

    Slots are `_slots` and `_outcomes`, a continuous action `_label_ca`.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, event: ClosedEvent) -> None:
        """Raises `InvalidInput` for a continuous action that was not drawn: it has no density."""
        if event.values:
            self._put(_drawn(event), event.event_id, event.decided_at, event.model_id)
            return
        order = [event.action, *(i for i in range(len(event.actions)) if i != event.action)]
        line = {
            "_label_cost": 0.0 - event.reward,
            "_label_probability": event.probability,
            "_label_Action": event.action + 1,
            "_labelIndex": event.action,
            "o": [{"v": event.reward, "EventId": event.event_id}],
            "a": [i + 1 for i in order],
            "c": {"shared": msgspec.Raw(event.context), "_multi": _multi(event.actions)},
            **({"p": [event.pmf[i] for i in order]} if event.has_pmf else {}),
        }
        self._put(line, event.event_id, event.decided_at, event.model_id)

    def write_slots(self, event: ClosedSlots) -> None:
        """Raises `InvalidInput` where a slot is still open."""
        decision = event.decision
        if any(math.isnan(reward) for reward in event.rewards):
            raise InvalidInput(f"Expected all slots to be closed, got an open one of event `{decision.event_id}`")
        self._put(_slotted(decision, event.rewards), decision.event_id, decision.decided_at, decision.model_id)

    def close(self) -> None:
        """Nothing is held back."""

    def _put(self, line: _Line, event_id: str, decided_at: int, model_id: str) -> None:
        said = {"Timestamp": iso(decided_at), "Version": "1", "EventId": event_id, "VWState": {"m": model_id}}
        self._file.write(msgspec.json.encode(line | said) + b"\n")


def _drawn(event: ClosedEvent) -> _Line:
    if event.drawn_density is None:
        raise InvalidInput(f"Expected a value that was drawn from a density, got another in event `{event.event_id}`")
    if len(event.values) > 1:
        raise InvalidInput(f"Expected one number as the action, got {len(event.values)} in event `{event.event_id}`")
    label = {"action": event.values[0], "cost": 0.0 - event.reward, "pdf_value": event.density}
    return {"_label_ca": label, "c": {"shared": msgspec.Raw(event.context)}}


def _slotted(decision: Decision, rewards: Sequence[float]) -> _Line:
    shared = parse_actions(decision.actions)
    gone = [taken for _, taken in taken_above(decision)]
    sets = [parse_actions(choice.actions) if choice.actions else shared for choice in decision.slots]
    slate = bool(decision.slots[0].actions)
    multi = [{**action, "_slot_id": i} for i, own in enumerate(sets) for action in _multi(own)] if slate else _multi(shared)
    above = set(decision.excluded)
    slots = [_slot(choice, len(own), set() if choice.actions else above) for choice, own in zip(decision.slots, sets, strict=True)]
    outcomes = [
        _outcome(choice, left(len(own), taken), reward)
        for choice, own, taken, reward in zip(decision.slots, sets, gone, rewards, strict=True)
    ]
    context = {"shared": msgspec.Raw(decision.context), "_multi": multi, "_slots": slots}
    whole = {"_label_cost": outcomes[0]["_label_cost"]} if slate and len(set(rewards)) == 1 else {}
    return {**whole, "c": context, "_outcomes": outcomes}


def _slot(choice: Choice, n_actions: int, excluded: set[int]) -> _Line:
    gone = excluded | set(choice.excluded)
    features = msgspec.json.decode(choice.features or b"{}", type=dict[str, msgspec.Raw])
    return {"_id": choice.slot, **({"_inc": left(n_actions, gone)} if gone else {}), **features}


def _outcome(choice: Choice, rows: Sequence[int], reward: float) -> _Line:
    known = choice.pmf[0] == choice.pmf[0]
    order = [choice.action, *(i for i in rows if i != choice.action)] if known else [choice.action]
    shares = [choice.pmf[i] for i in order] if known else [choice.probability]
    return {"_label_cost": 0.0 - reward, "_id": choice.slot, "_a": order, "_p": shares, "_o": []}


def _multi(actions: ActionSet) -> list[_Line]:
    features = actions.features or ({},) * len(actions)
    return [{"_tag": name, **own} for name, own in zip(actions.ids, features, strict=True)]
