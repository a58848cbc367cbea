"""A client's JSON becomes features here, and here only: names to numbers or words, flat, validated. Nothing unvalidated passes.

`{"age": 31, "device": {"os": "ios"}, "scores": [0.1, 0.9], "vip": true}` becomes
`{"age": 31, "device.os": "ios", "scores[0]": 0.1, "scores[1]": 0.9, "vip": 1}`. A number is a numeric feature, a string a
categorical one, null is absent, a boolean 0 or 1. The rules keep Vowpal Wabbit's parser safe as well (it would obey a key
that begins with `_`). What a request offers is made of them in `actions`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta

from rewardloop.errors import InvalidInput
from rewardloop.json_values import MAX_MAGNITUDE, json_kind, json_number, load_json

Features = dict[str, float | str]

MAX_FEATURES = 10_000
MAX_DEPTH = 8
MAX_NAME = 256

_T = TypeVar("_T")
# That a name has 1 to 256 characters is checked afterwards: a decoder that is told makes each name anew, for a third of the cost.
Number = Annotated[float, Meta(gt=-MAX_MAGNITUDE, lt=MAX_MAGNITUDE)]
Flat = dict[str, Number | str]
"""Features as they stand in JSON that is flat already."""
_flat_context = msgspec.json.Decoder(Flat)
_flat_contexts = msgspec.json.Decoder(list[Flat])


def parse_context(raw: bytes, at: str = "$.context") -> Features:
    """Features of a context.

    >>> parse_context(b'{"age": 31, "device": {"os": "ios"}, "scores": [0.5, 2], "vip": true, "note": null}')
    {'age': 31, 'device.os': 'ios', 'scores[0]': 0.5, 'scores[1]': 2, 'vip': 1}
    >>> parse_context(b'{"_label": 1}')
    Traceback (most recent call last):
    rewardloop.errors.InvalidInput: Expected a key that does not begin with `_`, got `_label` - at `$.context._label`
    """
    flat = decode_flat(_flat_context, raw)
    if flat is not None and well_named(flat, len(raw)):
        return flat
    value = load_json(raw, at)
    if type(value) is not dict:
        raise InvalidInput(f"Expected an object, got {json_kind(value)}", at=at)
    return flatten(value, at)


def parse_contexts(raws: Sequence[bytes]) -> list[Features]:
    """`parse_context` of each, and cheaper; each must be one JSON value, as a decoder cuts it out of a body.

    Raises `InvalidInput` without saying where.

    >>> parse_contexts([b'{"age": 31.5}', b'{"device": {"os": "ios"}}'])
    [{'age': 31.5}, {'device.os': 'ios'}]
    """
    flat = decode_flat(_flat_contexts, b"[" + b",".join(raws) + b"]")
    if flat is not None and len(flat) == len(raws) and _contexts_well_named(flat, list(map(len, raws))):
        return flat
    return [parse_context(raw) for raw in raws]


def flatten(value: Mapping[str, object], at: str) -> Features:
    """A nested JSON object as one level of features; raises `InvalidInput` naming the offending key."""
    features: Features = {}
    _flatten(value, "", at, features, 0)
    if len(features) > MAX_FEATURES:
        raise InvalidInput(f"Expected at most {MAX_FEATURES} features, got {len(features)}", at=at)
    return features


def flatten_list(items: Sequence[object], name: str, at: str, into: Features) -> None:
    """An array of numbers as features `name[0]`, `name[1]` …; raises `InvalidInput` naming the offending place."""
    for i, item in enumerate(items):
        if type(item) is not float and type(item) is not int:
            raise InvalidInput(f"Expected an array of numbers, got {json_kind(item)}", at=f"{at}[{i}]")
        if f"{name}[{i}]" in into:
            raise InvalidInput(f"Expected one feature `{name[:80]}[{i}]`, got two: call one of them otherwise", at=f"{at}[{i}]")
        into[f"{name}[{i}]"] = json_number(item, f"{at}[{i}]")


def decode_flat(decoder: msgspec.json.Decoder[_T], raw: bytes) -> _T | None:
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


def well_named(flat: Features, n_bytes: int) -> bool:
    """Whether there are not too many features, and the names may be: `n_bytes` is how long the JSON is that they stand in."""
    # Each feature takes six bytes besides its name, `"":0,` and a letter or a brace: a short object leaves no room for a long name.
    short = n_bytes - 6 * len(flat) <= MAX_NAME
    return "" not in flat and len(flat) <= MAX_FEATURES and (short or max(map(len, flat), default=0) <= MAX_NAME)


def all_well_named(many: Sequence[Features]) -> bool:
    """`well_named` of each, and cheaper where most have the same names."""
    names = set[str]().union(*many)
    return "" not in names and max(map(len, many)) <= MAX_FEATURES and max(map(len, names), default=0) <= MAX_NAME


def _contexts_well_named(contexts: Sequence[Features], n_bytes: Sequence[int]) -> bool:
    """`well_named` of each."""
    if max(n_bytes, default=0) <= MAX_NAME:
        return not any("" in flat for flat in contexts)
    return all(map(well_named, contexts, n_bytes))


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
            into[name] = json_number(item, f"{at}.{key}")
        elif kind is str:
            into[name] = item  # type: ignore[assignment]
        elif kind is bool:
            into[name] = int(item)  # type: ignore[call-overload]
        elif kind is dict:
            _flatten(item, name + ".", f"{at}.{key}", into, depth + 1)  # type: ignore[arg-type]
        elif kind is list:
            flatten_list(item, name, f"{at}.{key}", into)  # type: ignore[arg-type]
        elif item is not None:
            raise InvalidInput(f"Expected a JSON value, got {json_kind(item)}", at=f"{at}.{key}")


def _bad_key(key: str) -> str:
    if not key:
        return "Expected a key, got an empty one"
    if key[0] == "_":
        return f"Expected a key that does not begin with `_`, got `{key[:40]}`"
    return f"Expected a key of at most {MAX_NAME} characters, got {len(key)}"
