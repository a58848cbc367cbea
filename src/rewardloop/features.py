"""A client's JSON becomes features here, and here only: names to numbers or words, flat, validated. Nothing unvalidated passes.

`{"age": 31, "device": {"os": "ios"}, "scores": [0.1, 0.9], "vip": true}` becomes
`{"age": 31, "device.os": "ios", "scores[0]": 0.1, "scores[1]": 0.9, "vip": 1}`. A number is a numeric feature, a string a
categorical one, null is absent, a boolean 0 or 1. The rules keep Vowpal Wabbit's parser safe as well (it would obey a key
that begins with `_`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, NamedTuple, TypeVar

import msgspec
from msgspec import Meta

from rewardloop.cells import MAX_CELLS, Cells
from rewardloop.errors import InvalidInput, MalformedJson, did_you_mean
from rewardloop.events import MAX_CANDIDATES, MAX_EVENT_ID

Features = dict[str, float | str]

MAX_FEATURES = 10_000
MAX_DEPTH = 8
MAX_VALUES = 64
CELL = "values"
"""Id of the one cell that a box of continuous actions is."""
MAX_NAME = 256
MAX_MAGNITUDE = 1e30

_decode = msgspec.json.Decoder().decode
_decode_items = msgspec.json.Decoder(list[msgspec.Raw]).decode

_T = TypeVar("_T")
# That a name has 1 to 256 characters is checked afterwards: a decoder that is told makes each name anew, for a third of the cost.
_Flat = dict[str, Annotated[float, Meta(gt=-MAX_MAGNITUDE, lt=MAX_MAGNITUDE)] | str]
_flat_context = msgspec.json.Decoder(_Flat)
_flat_contexts = msgspec.json.Decoder(list[_Flat])


class _FlatAction(msgspec.Struct, forbid_unknown_fields=True):
    id: Annotated[str, Meta(min_length=1, max_length=MAX_EVENT_ID)]
    features: _Flat = {}


_flat_actions = msgspec.json.Decoder(list[Annotated[str, Meta(min_length=1, max_length=MAX_EVENT_ID)] | _FlatAction])


class Ranges(NamedTuple):
    """A box of continuous actions."""

    low: tuple[float, ...]
    high: tuple[float, ...]


class ActionSet(msgspec.Struct, frozen=True):
    """The actions on offer. `features[i]` belongs to `ids[i]`; None where no action has any (fixed arms). `raw` is logged."""

    ids: tuple[str, ...]
    features: tuple[Features, ...] | None
    raw: bytes
    ranges: Ranges | None = None
    """Where the action is continuous: its box, of which `ids` are the cells."""
    cells: Cells | None = None
    """Where the action is one number of a range that is cut into cells: those, of which `features` are the bumps."""

    def __len__(self) -> int:
        return len(self.ids)

    def only(self, rows: Sequence[int]) -> ActionSet:
        """Some of them, in the order given.

        >>> parse_actions(b'["a", {"id": "b", "features": {"price": 3}}, "c"]').only([2, 1]).raw
        b'["c",{"id": "b", "features": {"price": 3}}]'
        """
        if len(rows) == len(self.ids):
            return self
        items = _decode_items(self.raw)
        features = None if self.features is None else tuple([self.features[i] for i in rows])
        return ActionSet(tuple([self.ids[i] for i in rows]), features, b"[" + b",".join([bytes(items[i]) for i in rows]) + b"]")

    def index(self, action_id: str, at: str) -> int:
        """Position of an id; raises `InvalidInput` with the nearest id."""
        try:
            return self.ids.index(action_id)
        except ValueError:
            raise InvalidInput(f"Unknown action `{action_id}`{did_you_mean(action_id, self.ids)}", at=at) from None


_TOLD = MappingProxyType(
    {
        "Input data was truncated": "it ends too early",
        "Number out of range": "a number is out of range",
        "Integer value out of range": "a number is out of range",
        "maximum recursion depth exceeded while deserializing an object": "too many levels",
    }
)


def load_json(raw: bytes, at: str = "$") -> object:
    """Any JSON value; raises `MalformedJson` naming the place."""
    try:
        return _decode(raw)
    except (ValueError, RecursionError) as error:  # msgspec.DecodeError and UnicodeDecodeError are both ValueErrors
        raise not_json(error, at) from None


def not_json(error: Exception, at: str) -> MalformedJson:
    """What a parser of JSON says, said as everything else is said here.

    >>> str(not_json(ValueError("JSON is malformed: invalid character (byte 0)"), "$"))
    'Expected JSON: invalid character (byte 0) - at `$`'
    """
    told = str(error).removeprefix("JSON is malformed: ").partition(" - at `$")[0]
    return MalformedJson(f"Expected JSON: {_TOLD.get(told, told)}", at=at)


def parse_context(raw: bytes, at: str = "$.context") -> Features:
    """Features of a context.

    >>> parse_context(b'{"age": 31, "device": {"os": "ios"}, "scores": [0.5, 2], "vip": true, "note": null}')
    {'age': 31, 'device.os': 'ios', 'scores[0]': 0.5, 'scores[1]': 2, 'vip': 1}
    >>> parse_context(b'{"_label": 1}')
    Traceback (most recent call last):
    rewardloop.errors.InvalidInput: Expected a key that does not begin with `_`, got `_label` - at `$.context._label`
    """
    flat = _decode_plain(_flat_context, raw)
    if flat is not None and _well_named(flat, len(raw)):
        return flat
    value = load_json(raw, at)
    if type(value) is not dict:
        raise InvalidInput(f"Expected an object, got {_kind(value)}", at=at)
    return flatten(value, at)


def parse_contexts(raws: Sequence[bytes]) -> list[Features]:
    """`parse_context` of each, and cheaper; each must be one JSON value, as a decoder cuts it out of a body.

    Raises `InvalidInput` without saying where.

    >>> parse_contexts([b'{"age": 31.5}', b'{"device": {"os": "ios"}}'])
    [{'age': 31.5}, {'device.os': 'ios'}]
    """
    flat = _decode_plain(_flat_contexts, b"[" + b",".join(raws) + b"]")
    if flat is not None and len(flat) == len(raws) and _all_well_named(flat, list(map(len, raws))):
        return flat
    return [parse_context(raw) for raw in raws]


def parse_actions(raw: bytes, at: str = "$.actions") -> ActionSet:
    """The actions a request offers, either ids or objects with features.

    >>> parse_actions(b'["a", "b"]').ids
    ('a', 'b')
    >>> parse_actions(b'[{"id": "a", "features": {"price": 3}}, {"id": "b"}]').features
    ({'price': 3.0}, {})
    """
    plain = _decode_plain(_flat_actions, raw)
    if plain is not None and (known := _plain_actions(plain, raw)):
        return known
    value = load_json(raw, at)
    if type(value) is dict and "low" in value:
        return _celled(value, raw, at) if "cells" in value else _ranged(value, raw, at)
    if type(value) is not list:
        raise InvalidInput(f"Expected an array, got {_kind(value)}", at=at)
    if not 1 <= len(value) <= MAX_CANDIDATES:
        raise InvalidInput(f"Expected 1 to {MAX_CANDIDATES} actions, got {len(value)}", at=at)
    ids = tuple(_action_id(item, f"{at}[{i}]") for i, item in enumerate(value))
    if len(set(ids)) != len(ids):
        twice = next(i for i, action in enumerate(ids) if action in ids[:i])
        raise InvalidInput(f"Expected unique action ids, got `{ids[twice]}` twice", at=f"{at}[{twice}]")
    if not any(type(item) is dict for item in value):
        return ActionSet(ids, None, raw)
    return ActionSet(ids, tuple(_action_features(item, f"{at}[{i}]") for i, item in enumerate(value)), raw)


def ranged_actions(low: Sequence[float], high: Sequence[float]) -> ActionSet:
    """Continuous actions in a box: one cell.

    >>> ranged_actions([0.0], [1.0]).raw
    b'{"low":[0.0],"high":[1.0]}'
    """
    return parse_actions(msgspec.json.encode({"low": list(low), "high": list(high)}))


def celled_actions(cells: Cells) -> ActionSet:
    """One continuous action, its range cut into cells.

    >>> celled_actions(Cells(20.0, 35.0, 2)).raw
    b'{"low":20.0,"high":35.0,"cells":2}'
    """
    return parse_actions(msgspec.json.encode({"low": cells.low, "high": cells.high, "cells": cells.n}))


def read_limits(raw: bytes, at: str) -> tuple[float, float]:
    """`{"low": 22, "high": 30}`: between what a request wants its value. Raises `InvalidInput`."""
    value = load_json(raw, at)
    if type(value) is not dict or set(value) != {"low", "high"}:
        raise InvalidInput('Expected {"low": …, "high": …}: the actions are continuous', at=at)
    low, high = (_side(value[side], f"{at}.{side}") for side in ("low", "high"))
    return low, high


def _celled(value: Mapping[str, object], raw: bytes, at: str) -> ActionSet:
    n = value["cells"]
    if set(value) != {"low", "high", "cells"} or type(n) is not int or not 2 <= n <= MAX_CELLS:
        raise InvalidInput(f"Expected `low`, `high` and `cells` from 2 to {MAX_CELLS}", at=at)
    cells = Cells(_side(value["low"], f"{at}.low"), _side(value["high"], f"{at}.high"), n)
    if cells.low >= cells.high:
        raise InvalidInput("Expected `low` below `high`", at=at)
    features: list[Features] = [{f"near[{i}]": bump for i, bump in enumerate(bumps)} for bumps in cells.bumps()]
    return ActionSet(cells.ids, tuple(features), raw, cells=cells)


def _side(value: object, at: str) -> float:
    if type(value) is not float and type(value) is not int:
        raise InvalidInput(f"Expected a number, got {_kind(value)}", at=at)
    return float(_number(value, at))


def _ranged(value: Mapping[str, object], raw: bytes, at: str) -> ActionSet:
    if set(value) != {"low", "high"}:
        raise InvalidInput("Expected `low` and `high`", at=at)
    sides: dict[str, float] = {}
    for name, numbers in value.items():
        if type(numbers) is not list or not 1 <= len(numbers) <= MAX_VALUES:
            raise InvalidInput(f"Expected an array of 1 to {MAX_VALUES} numbers, got {_kind(numbers)}", at=f"{at}.{name}")
        _flatten_list(numbers, name, f"{at}.{name}", sides)  # type: ignore[arg-type]
    low, high = (tuple(float(number) for name, number in sides.items() if name.startswith(side)) for side in ("low", "high"))
    if len(low) != len(high) or any(a >= b for a, b in zip(low, high, strict=True)):
        raise InvalidInput("Expected as many `low` as `high`, each below it", at=at)
    return ActionSet((CELL,), None, raw, Ranges(low, high))


def fixed_actions(ids: Sequence[str]) -> ActionSet:
    """Fixed, featureless arms.

    >>> fixed_actions(["1", "2"]).raw
    b'["1","2"]'
    """
    return parse_actions(msgspec.json.encode(list(ids)), "$.actions")


def _decode_plain(decoder: msgspec.json.Decoder[_T], raw: bytes) -> _T | None:
    """What `flatten` would make of JSON that is flat already, at a quarter of its cost; None where it may not be.

    Escapes, and what looks like a key with a leading `_`, are left to `flatten`, and so is everything that is wrong.
    """
    # The first question is a fifth of the second's price, and most often enough.
    if (b"_" in raw and b'"_' in raw) or b"\\" in raw:
        return None
    try:
        return decoder.decode(raw)
    except (ValueError, RecursionError):
        return None


def _plain_actions(items: list[str | _FlatAction], raw: bytes) -> ActionSet | None:
    ids = tuple([item if type(item) is str else item.id for item in items])  # type: ignore[union-attr]
    if not 1 <= len(ids) <= MAX_CANDIDATES or len(set(ids)) != len(ids):
        return None
    if {*map(type, items)} == {str}:
        return ActionSet(ids, None, raw)
    features = tuple([{} if type(item) is str else item.features for item in items])  # type: ignore[union-attr]
    return ActionSet(ids, features, raw) if all(_well_named(own, len(raw)) for own in features) else None


def _well_named(flat: Features, n_bytes: int) -> bool:
    """Whether there are not too many features, and the names may be: `n_bytes` is how long the JSON is that they stand in."""
    # Each feature takes six bytes besides its name, `"":0,` and a letter or a brace: a short object leaves no room for a long name.
    short = n_bytes - 6 * len(flat) <= MAX_NAME
    return "" not in flat and len(flat) <= MAX_FEATURES and (short or max(map(len, flat), default=0) <= MAX_NAME)


def _all_well_named(contexts: Sequence[Features], n_bytes: Sequence[int]) -> bool:
    """`_well_named` of each."""
    if max(n_bytes, default=0) <= MAX_NAME:
        return not any("" in flat for flat in contexts)
    return all(map(_well_named, contexts, n_bytes))


def flatten(value: Mapping[str, object], at: str) -> Features:
    """A nested JSON object as one level of features; raises `InvalidInput` naming the offending key."""
    features: Features = {}
    _flatten(value, "", at, features, 0)
    if len(features) > MAX_FEATURES:
        raise InvalidInput(f"Expected at most {MAX_FEATURES} features, got {len(features)}", at=at)
    return features


def _flatten(value: Mapping[str, object], prefix: str, at: str, into: Features, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise InvalidInput(f"Expected at most {MAX_DEPTH} levels of nesting, got more", at=at)
    for key, item in value.items():
        if not key or key[0] == "_" or len(key) > MAX_NAME:
            raise InvalidInput(_bad_key(key), at=f"{at}.{key[:40]}")
        kind = type(item)
        name = prefix + key
        if name in into:
            raise InvalidInput(f"Expected one feature `{name[:80]}`, got two: call one of them otherwise", at=f"{at}.{key[:40]}")
        if kind is float or kind is int:
            into[name] = _number(item, f"{at}.{key}")
        elif kind is str:
            into[name] = item  # type: ignore[assignment]
        elif kind is bool:
            into[name] = int(item)  # type: ignore[call-overload]
        elif kind is dict:
            _flatten(item, name + ".", f"{at}.{key}", into, depth + 1)  # type: ignore[arg-type]
        elif kind is list:
            _flatten_list(item, name, f"{at}.{key}", into)  # type: ignore[arg-type]
        elif item is not None:
            raise InvalidInput(f"Expected a JSON value, got {_kind(item)}", at=f"{at}.{key}")


def _flatten_list(items: Sequence[object], name: str, at: str, into: Features) -> None:
    for i, item in enumerate(items):
        if type(item) is not float and type(item) is not int:
            raise InvalidInput(f"Expected an array of numbers, got {_kind(item)}", at=f"{at}[{i}]")
        if f"{name}[{i}]" in into:
            raise InvalidInput(f"Expected one feature `{name[:80]}[{i}]`, got two: call one of them otherwise", at=f"{at}[{i}]")
        into[f"{name}[{i}]"] = _number(item, f"{at}[{i}]")


def _number(value: object, at: str) -> float:
    if not -MAX_MAGNITUDE < value < MAX_MAGNITUDE:  # type: ignore[operator]  # False for NaN as well
        raise InvalidInput(f"Expected a number between -1e30 and 1e30, got `{value}`", at=at)
    return value  # type: ignore[return-value]


def _bad_key(key: str) -> str:
    if not key:
        return "Expected a key, got an empty one"
    if key[0] == "_":
        return f"Expected a key that does not begin with `_`, got `{key[:40]}`"
    return f"Expected a key of at most {MAX_NAME} characters, got {len(key)}"


def _action_id(item: object, at: str) -> str:
    value = item.get("id") if type(item) is dict else item
    if type(value) is not str or not 0 < len(value) <= MAX_EVENT_ID:
        got = "none" if type(item) is dict and "id" not in item else _kind(value)
        raise InvalidInput(f"Expected an action id of 1 to {MAX_EVENT_ID} characters, got {got}", at=at)
    if type(item) is dict and (extra := set(item) - {"id", "features"}):
        raise InvalidInput(f"Unknown key `{min(extra)}`{did_you_mean(min(extra), ('id', 'features'))}", at=at)
    return value


def _action_features(item: object, at: str) -> Features:
    features = item.get("features") if type(item) is dict else None
    if features is None:
        return {}
    if type(features) is not dict:
        raise InvalidInput(f"Expected an object, got {_kind(features)}", at=f"{at}.features")
    return flatten(features, f"{at}.features")


def _kind(value: object) -> str:
    names = {type(None): "null", dict: "an object", list: "an array", bool: "a boolean", int: "a number", float: "a number"}
    return f"a string of {len(value)} characters" if isinstance(value, str) else names.get(type(value), type(value).__name__)
