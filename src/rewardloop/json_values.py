"""JSON text becomes values, or an error that names the place: the one way in for what a client sent."""

from __future__ import annotations

from types import MappingProxyType

import msgspec

from rewardloop.errors import InvalidInput, MalformedJson

MAX_MAGNITUDE = 1e30

_decode = msgspec.json.Decoder().decode

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


def json_number(value: object, at: str) -> float:
    """The number itself; raises `InvalidInput` where it is not finite or beyond ±1e30."""
    if not -MAX_MAGNITUDE < value < MAX_MAGNITUDE:  # type: ignore[operator]  # False for NaN as well
        raise InvalidInput(f"Expected a number between -1e30 and 1e30, got `{value}`", at=at)
    return value  # type: ignore[return-value]


def json_kind(value: object) -> str:
    """What a value is, in the words of an error.

    >>> json_kind("red"), json_kind(None)
    ('a string of 3 characters', 'null')
    """
    names = {type(None): "null", dict: "an object", list: "an array", bool: "a boolean", int: "a number", float: "a number"}
    return f"a string of {len(value)} characters" if isinstance(value, str) else names.get(type(value), type(value).__name__)
