"""Decision Service JSON, the log format of Azure Personalizer and VW: one event as a native row of history."""

from __future__ import annotations

from collections.abc import Sequence

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
    """cost = −reward; `p[i]` belongs to action `a[i]`, counting from 1. Raises `InvalidInput` for slots and the like."""
    if is_checkpoint(values):
        raise InvalidInput("A checkpoint of the service, no event")
    if is_dangling(values):
        raise InvalidInput("A dangling reward: its decision is not in the log", at="$.EventId")
    if "_outcomes" in values:
        raise InvalidInput("Expected one action an event, got slots", at="$._outcomes")
    if "_label_ca" in values:
        raise InvalidInput("Expected discrete actions, got a continuous one", at="$._label_ca")
    if values.get("_skipLearn") is True:
        raise InvalidInput("Marked as not to be learned from", at="$._skipLearn")
    shared = values["c"]
    if not isinstance(shared, dict) or not isinstance(shared.get("_multi"), list) or not shared["_multi"]:
        raise InvalidInput("Expected actions", at="$.c._multi")
    actions = _distinct([_action(item, i) for i, item in enumerate(shared["_multi"])])
    own = shared.get("shared") if isinstance(shared.get("shared"), dict) and len(_public(shared)) == 1 else shared
    return {
        "context": _plain(_public(own if isinstance(own, dict) else shared)),
        "actions": actions,
        "action": actions[_chosen(values, len(actions))]["id"],
        "reward": _reward(values),
        "event_id": values.get("EventId"),
        "timestamp": values.get("Timestamp"),
        **_known("model_id", _model(values.get("VWState"))),
        **_known("probability", values.get("_label_probability")),
        **_known("pmf", _pmf(values.get("a"), values.get("p"), len(actions))),
    }


def is_dangling(values: Values) -> bool:
    """A reward whose decision the service did not find."""
    return "EventId" in values and "c" not in values and ("RewardValue" in values or "o" in values)


def is_checkpoint(values: Values) -> bool:
    """What the service wrote to find its place again."""
    return bool(values) and all(name.lower().startswith("checkpoint") for name in values)


def is_thinned(values: Values) -> bool:
    """Whether the other system dropped a share of such events when it logged this one."""
    pdrop = values.get("pdrop")
    return isinstance(pdrop, int | float) and pdrop > 0


def _model(state: object) -> object:
    return state.get("m") if isinstance(state, dict) else None


def _known(name: str, value: object) -> Values:
    return {} if value is None else {name: value}


def _reward(values: Values) -> object:
    cost = values.get("_label_cost")
    return 0.0 - cost if isinstance(cost, int | float) else cost


def _chosen(values: Values, n: int) -> int:
    label, counted = values.get("_labelIndex"), values.get("_label_Action")
    index = label if isinstance(label, int) else counted - 1 if isinstance(counted, int) else -1
    if not 0 <= index < n:
        raise InvalidInput("Expected the index of an action", at="$._labelIndex")
    return index


def _action(item: object, i: int) -> dict[str, object]:
    if not isinstance(item, dict):
        raise InvalidInput("Expected an object", at=f"$.c._multi[{i}]")
    inner = item.get("i")
    names = (item.get("id"), item.get("_tag"), inner.get("id") if isinstance(inner, dict) else None)
    given = next((name for name in names if isinstance(name, str) and name), str(i + 1))
    return {"id": given, "features": _plain({key: value for key, value in _public(item).items() if key not in {"id", "i"}})}


def _distinct(actions: list[dict[str, object]]) -> list[dict[str, object]]:
    """Real logs offer one id twice: the second is renamed after its place."""
    seen: set[object] = set()
    named = []
    for place, action in enumerate(actions, 1):
        name = f"{action['id']} #{place}" if action["id"] in seen else action["id"]
        seen.add(name)
        named.append({**action, "id": name})
    return named


def _public(item: dict[str, object]) -> dict[str, object]:
    return {key: value for key, value in item.items() if not key.startswith("_")}


def _plain(value: object) -> object:
    """Features as this system writes them: a list of objects is their union, a list of words a set, private keys are left out."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in _public(value).items() if key}
    if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        return _plain({key: inner for item in value for key, inner in item.items()})
    if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        return {item: 1 for item in value if item and not item.startswith("_")}
    return value


def _pmf(order: object, probabilities: object, n: int) -> list[object] | None:
    if not isinstance(order, list) or not isinstance(probabilities, list):
        return None
    if len(order) != n or len(probabilities) != n or sorted(order, key=str) != sorted(range(1, n + 1), key=str):
        return None
    return [probability for _, probability in sorted(zip(order, probabilities, strict=True), key=_position)]


def _position(pair: Sequence[object]) -> int:
    return int(str(pair[0]))
