"""Decision Service JSON, the log format of Azure Personalizer and VW: one event as a native row of history.

What `_slots` and `_outcomes` say is read in `slots`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rewardloop.errors import InvalidInput
from rewardloop.exchange.rows import Values


def is_dsjson(values: Values) -> bool:
    """Whether a row is an event of the Decision Service, or a line that its logs hold beside the events."""
    return (
        is_dangling(values)
        or is_checkpoint(values)
        or ("c" in values and ("_label_cost" in values or "_outcomes" in values or "_label_ca" in values or "EventId" in values))
    )


def native_from_dsjson(values: Values) -> Values:
    """cost = −reward; `p[i]` belongs to action `a[i]`, counting from 1. Of slots only what they share. Raises `InvalidInput`."""
    if is_checkpoint(values):
        raise InvalidInput("A checkpoint of the service, no event")
    if is_dangling(values):
        raise InvalidInput("A dangling reward: its decision is not in the log", at="$.EventId")
    if values.get("_skipLearn") is True:
        raise InvalidInput("Marked as not to be learned from", at="$._skipLearn")
    said = {
        "context": _context(values["c"]),
        "event_id": values.get("EventId"),
        "timestamp": values.get("Timestamp"),
        **_known("model_id", _model(values.get("VWState"))),
    }
    return said | (_drawn(values["_label_ca"]) if "_label_ca" in values else _shared(values))


def is_dangling(values: Values) -> bool:
    """A reward whose decision the service did not find."""
    return "EventId" in values and "c" not in values and ("RewardValue" in values or "o" in values)


def is_checkpoint(values: Values) -> bool:
    """What the service wrote to find its place again."""
    return bool(values) and all(name.lower().startswith("checkpoint") for name in values)


def stands_for(values: Values) -> float:
    """1 / (1 − pdrop), the events that a row of dsjson stands for. Raises `InvalidInput`.

    >>> stands_for({"pdrop": 0.9375}), stands_for({})
    (16.0, 1.0)
    """
    pdrop = values.get("pdrop", 0.0)
    if isinstance(pdrop, bool) or not isinstance(pdrop, int | float) or not 0 <= pdrop < 1:
        raise InvalidInput("Expected a share of dropped events, from 0 to less than 1", at="$.pdrop")
    return 1 / (1 - pdrop)


def multi(values: Values) -> list[dict[str, object]]:
    """The objects of the actions, as they stand. Raises `InvalidInput`."""
    shared = values["c"]
    items = shared.get("_multi") if isinstance(shared, dict) else None
    if not isinstance(items, list) or not items:
        raise InvalidInput("Expected actions", at="$.c._multi")
    for i, item in enumerate(items):
        if not isinstance(item, dict):
            raise InvalidInput("Expected an object", at=f"$.c._multi[{i}]")
    return items


def actions_of(items: Sequence[Mapping[str, object]]) -> list[dict[str, object]]:
    """Ids and features. Real logs offer one id twice: the second is renamed after its place."""
    seen: set[object] = set()
    named = []
    for place, item in enumerate(items, 1):
        action = _action(item, place)
        name = f"{action['id']} #{place}" if action["id"] in seen else action["id"]
        seen.add(name)
        named.append({**action, "id": name})
    return named


def reward_of(cost: object) -> object:
    """−cost, where it is a number."""
    return 0.0 - cost if isinstance(cost, int | float) and not isinstance(cost, bool) else cost


def plain(value: object) -> object:
    """Features as this system writes them: a list of objects is their union, a list of words a set, private keys are left out."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in _public(value).items() if key}
    if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        return plain({key: inner for item in value for key, inner in item.items()})
    if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        return {item: 1 for item in value if item and not item.startswith("_")}
    return value


def _context(shared: object) -> object:
    if not isinstance(shared, dict):
        raise InvalidInput("Expected an object", at="$.c")
    own = shared.get("shared")
    return plain(own if isinstance(own, dict) and len(_public(shared)) == 1 else shared)


def _shared(values: Values) -> Values:
    """What was on offer and, unless slots say so, what was chosen."""
    actions = actions_of(multi(values))
    if "_outcomes" in values:
        return {"actions": actions}
    return {
        "actions": actions,
        "action": actions[_chosen(values, len(actions))]["id"],
        "reward": reward_of(values.get("_label_cost")),
        **_known("probability", values.get("_label_probability")),
        **_known("pmf", _pmf(values.get("a"), values.get("p"), len(actions))),
    }


def _drawn(label: object) -> Values:
    """A continuous action (VW's CATS): a number, and the density that it was drawn with."""
    if not isinstance(label, dict):
        raise InvalidInput("Expected an object", at="$._label_ca")
    said = {"values": label.get("action"), "density": label.get("pdf_value"), "reward": reward_of(label.get("cost"))}
    missing = next((name for name in ("action", "pdf_value", "cost") if label.get(name) is None), None)
    if missing:
        raise InvalidInput("Expected a number, got none", at=f"$._label_ca.{missing}")
    return said


def _model(state: object) -> object:
    return state.get("m") if isinstance(state, dict) else None


def _known(name: str, value: object) -> Values:
    return {} if value is None else {name: value}


def _chosen(values: Values, n: int) -> int:
    label, counted = values.get("_labelIndex"), values.get("_label_Action")
    index = label if isinstance(label, int) else counted - 1 if isinstance(counted, int) else -1
    if not 0 <= index < n:
        raise InvalidInput("Expected the index of an action", at="$._labelIndex")
    return index


def _action(item: Mapping[str, object], place: int) -> dict[str, object]:
    inner = item.get("i")
    names = (item.get("id"), item.get("_tag"), inner.get("id") if isinstance(inner, dict) else None)
    given = next((name for name in names if isinstance(name, str) and name), str(place))
    return {"id": given, "features": plain({key: value for key, value in _public(item).items() if key not in {"id", "i"}})}


def _public(item: Mapping[str, object]) -> dict[str, object]:
    return {key: value for key, value in item.items() if not key.startswith("_")}


def _pmf(order: object, probabilities: object, n: int) -> list[object] | None:
    if not isinstance(order, list) or not isinstance(probabilities, list):
        return None
    if len(order) != n or len(probabilities) != n or sorted(order, key=str) != sorted(range(1, n + 1), key=str):
        return None
    return [probability for _, probability in sorted(zip(order, probabilities, strict=True), key=_position)]


def _position(pair: Sequence[object]) -> int:
    return int(str(pair[0]))
