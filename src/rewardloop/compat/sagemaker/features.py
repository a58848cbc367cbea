"""Between the unnamed lists of numbers that SageMaker's bandits send and named features. Both ways; nothing else."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Raw

from rewardloop.actions import ActionSet, parse_actions
from rewardloop.errors import MalformedJson
from rewardloop.events import MAX_ACTIONS
from rewardloop.exchange.joined.rows import OBSERVATION
from rewardloop.features import MAX_FEATURES, Features
from rewardloop.json_values import MAX_MAGNITUDE
from rewardloop.recurring import recurring
from rewardloop.serving.replies import encode

SHARED, ACTION = "shared", "action"
ACTIONS_AT = "$.actions_context"

Number = Annotated[float, Meta(gt=-MAX_MAGNITUDE, lt=MAX_MAGNITUDE)]
Value = Number | str | bool | None
Vector = Annotated[list[Value], Meta(max_length=MAX_FEATURES)]
Observed = Vector | dict[str, Any]
"""A list, as in 2019; or an object whose features have names."""

_CACHED_VALUES = 256

_observed = msgspec.json.Decoder(Observed)
_rows = msgspec.json.Decoder(Annotated[list[Raw], Meta(min_length=1, max_length=MAX_ACTIONS)])
_table = msgspec.json.Decoder(
    Annotated[list[Annotated[list[Number], Meta(max_length=MAX_FEATURES)]], Meta(min_length=1, max_length=MAX_ACTIONS)]
)
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


class _Logged(msgspec.Struct, gc=False):
    id: str
    features: Features


def _offered(raw: bytes) -> ActionSet:
    try:
        rows = _table.decode(raw)
    except msgspec.ValidationError:
        return parse_actions(_row_by_row(raw), ACTIONS_AT)
    names = _names(ACTION, max(map(len, rows)))
    features: tuple[Features, ...] = tuple([dict(zip(names, row, strict=False)) for row in rows])
    ids = _positions(len(rows))
    return ActionSet(ids, features, encode(list(map(_Logged, ids, features))))


offered = recurring(_offered)
"""JSON of actions with features as what is on offer; their ids are their positions, from 0. Often the same as before.

Raises `InvalidInput`.

>>> offered(b'[[1, 2.5], [3]]').raw
b'[{"id":"0","features":{"action[0]":1.0,"action[1]":2.5}},{"id":"1","features":{"action[0]":3.0}}]'
"""


def _row_by_row(raw: bytes) -> bytes:
    try:
        rows = _rows.decode(raw)
    except msgspec.ValidationError as error:
        raise _wrong(error, ACTIONS_AT) from None
    told = (_features(bytes(row), ACTION, f"{ACTIONS_AT}[{i}]") for i, row in enumerate(rows))
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


def _names(prefix: str, n: int) -> tuple[str, ...]:
    return _few_names(prefix, n) if n <= _CACHED_VALUES else _few_names.__wrapped__(prefix, n)


@lru_cache(maxsize=_CACHED_VALUES)
def _few_names(prefix: str, n: int) -> tuple[str, ...]:
    return tuple([f"{prefix}[{i}]" for i in range(n)])


@lru_cache(maxsize=64)
def _positions(n: int) -> tuple[str, ...]:
    return tuple(map(str, range(n)))
