"""Between the unnamed lists of numbers that SageMaker's bandits send and named features. Both ways; nothing else."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Raw

from rewardloop.errors import MalformedJson
from rewardloop.events import MAX_ACTIONS
from rewardloop.exchange.joined.rows import OBSERVATION
from rewardloop.features import MAX_FEATURES
from rewardloop.json_values import MAX_MAGNITUDE
from rewardloop.recurring import recurring
from rewardloop.serving.replies import encode

SHARED, ACTION = "shared", "action"

Value = Annotated[float, Meta(gt=-MAX_MAGNITUDE, lt=MAX_MAGNITUDE)] | str | bool | None
Vector = Annotated[list[Value], Meta(max_length=MAX_FEATURES)]
Observed = Vector | dict[str, Any]
"""A list, as in 2019; or an object whose features have names."""

_CACHED_VALUES = 256
_CACHED_TABLE = 2_048
"""Numbers of a table of actions that is named without being parsed."""

_observed = msgspec.json.Decoder(Observed)
_rows = msgspec.json.Decoder(Annotated[list[Raw], Meta(min_length=1, max_length=MAX_ACTIONS)])
decode_observed = _observed.decode


def named(values: Observed, prefix: str) -> dict[str, Any]:
    """Features by name. A null is absent, a text is categorical.

    >>> named([1.0, "red"], "observation")
    {'observation[0]': 1.0, 'observation[1]': 'red'}
    >>> named({"age": 31}, "observation")
    {'age': 31}
    """
    return values if isinstance(values, dict) else dict(zip(_names(prefix, len(values)), values, strict=True))


def context(raw: bytes) -> Raw:
    """An observation as the context that is logged. Raises `InvalidInput`.

    >>> bytes(context(b'[1.5, 2]')), bytes(context(b'["red"]')), bytes(context(b'{"age": 31}'))
    (b'{"observation[0]":1.5,"observation[1]": 2}', b'{"observation[0]":"red"}', b'{"age":31}')
    """
    return Raw(_features(raw, OBSERVATION, "$.observation"))


def shared_context(raw: bytes, user_id: str | int | None) -> Raw:
    """What all actions share. The user is a categorical feature, so that what one likes can be learned."""
    features = b"{}" if raw == b"null" else _features(raw, SHARED, "$.shared_context")
    if user_id is None:
        return Raw(features)
    user = b'"user_id":' + encode(str(user_id)) + b"}"
    return Raw(b"{" + user if features == b"{}" else features[:-1] + b"," + user)


def actions(raw: bytes) -> Raw:
    """Actions with features; their ids are their positions, from 0. Often the same as before. Raises `InvalidInput`.

    >>> bytes(actions(b'[[1, 2.5], [3, 4]]'))
    b'[{"id":"0","features":{"action[0]":1,"action[1]":2.5}},{"id":"1","features":{"action[0]":3,"action[1]":4}}]'
    """
    return Raw(_some_actions(raw))


def _actions(raw: bytes) -> bytes:
    return _table(raw) or _row_by_row(raw)


_some_actions = recurring(_actions)


def _table(raw: bytes) -> bytes | None:
    """JSON of actions that are lists of as many numbers each, named without being parsed; None where it may be something else."""
    if b'"' in raw or b"{" in raw:
        return None
    bare = raw.translate(None, b" \t\r\n")
    rows = bare[2:-2].split(b"],[")
    values = b",".join(rows).split(b",")
    if not _is_even(bare, rows) or len(rows) > MAX_ACTIONS or len(values) > _CACHED_TABLE:
        return None
    return _table_template(len(rows), len(values) // len(rows)) % tuple(values)


def _is_even(bare: bytes, rows: list[bytes]) -> bool:
    """Whether that JSON is a list of these rows, with as many numbers in each."""
    # As many brackets as the rows and the list around them need: so none of the rows has a list in it.
    flat = bare[:2] == b"[[" and bare[-2:] == b"]]" and bare.count(b"[") == len(rows) + 1
    return flat and b"" not in rows and len({row.count(b",") for row in rows}) == 1


def _row_by_row(raw: bytes) -> bytes:
    try:
        rows = _rows.decode(raw)
    except msgspec.ValidationError as error:
        raise _wrong(error, "$.actions_context") from None
    told = (_features(bytes(row), ACTION, f"$.actions_context[{i}]") for i, row in enumerate(rows))
    return b"[" + b",".join(b'{"id":"%d","features":%b}' % item for item in enumerate(told)) + b"]"


def _features(raw: bytes, prefix: str, at: str) -> bytes:
    """JSON of a list, or of an object, as JSON of named features. A list of numbers only is named without being parsed."""
    if raw[:1] == b"[" and b'"' not in raw and b"[" not in raw[1:] and b"{" not in raw:
        values = raw[1:-1].split(b",")
        if len(values) <= _CACHED_VALUES and values[0].strip():
            return _template(prefix, len(values)) % tuple(values)
    try:
        return encode(named(_observed.decode(raw), prefix))
    except msgspec.ValidationError as error:
        raise _wrong(error, at) from None


def _wrong(error: msgspec.ValidationError, at: str) -> MalformedJson:
    told, _, place = str(error).partition(" - at `$")
    return MalformedJson(f"Incorrect JSON format error: {told}", at=at + place.rstrip("`"))


@lru_cache(maxsize=_CACHED_VALUES)
def _template(prefix: str, n: int) -> bytes:
    return b"{" + b",".join(b'"%b":%%b' % name.encode() for name in _names(prefix, n)) + b"}"


@lru_cache(maxsize=64)
def _table_template(n_actions: int, n: int) -> bytes:
    features = _template(ACTION, n)
    return b"[" + b",".join(b'{"id":"%d","features":%b}' % (i, features) for i in range(n_actions)) + b"]"


def _names(prefix: str, n: int) -> tuple[str, ...]:
    return tuple([f"{prefix}[{i}]" for i in range(n)])
