"""From the bytes of a request body to a typed request, with errors that name the place."""

from __future__ import annotations

import re
from typing import TypeVar

import msgspec

from rewardloop.errors import InvalidInput, did_you_mean
from rewardloop.json_values import not_json

T = TypeVar("T")

_AT = re.compile(r"^(?P<message>.*) - at `(?P<at>\$[^`]*)`$", re.DOTALL)
_UNKNOWN = re.compile(r"^Object contains unknown field `(?P<field>[^`]*)`$")


def decode(decoder: msgspec.json.Decoder[T], body: bytes, at: str = "$") -> T:
    """The body as the decoder's type; raises `MalformedJson` (400) or `InvalidInput` (422). `at` is the place of a part of one."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise _invalid(str(error), decoder.type, at) from None
    except (ValueError, RecursionError) as error:
        raise not_json(error, at) from None


def _invalid(text: str, wanted: object, whole: str) -> InvalidInput:
    located = _AT.match(text)
    message, at = (located["message"], located["at"]) if located else (text, "$")
    unknown = _UNKNOWN.match(message)
    if unknown and isinstance(wanted, type) and issubclass(wanted, msgspec.Struct) and at == "$":
        message += did_you_mean(unknown["field"], wanted.__struct_encode_fields__)
    return InvalidInput(message, at=whole + at[1:])
