"""Personalizer's lists of feature objects become one object of features: what a context or an action is here."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import Raw

from rewardloop.errors import InvalidInput
from rewardloop.serving.replies import encode

Objects = list[Raw] | None
"""`contextFeatures`, or the `features` of an action or a slot."""

_decode_members = msgspec.json.Decoder(dict[str, Raw]).decode


def merged(objects: Sequence[Raw] | None, at: str) -> bytes:
    """One JSON object of all members; a single object stays as it was sent. Raises `InvalidInput`.

    A name that comes twice is two features, as it was two to the service.

    >>> merged([Raw(b'{"age": 31}')], "$"), merged([Raw(b'{"age":31}'), Raw(b'{"os":"ios","age":4}')], "$"), merged(None, "$")
    (b'{"age": 31}', b'{"age":31,"os":"ios","age#2":4}', b'{}')
    """
    if not objects:
        return b"{}"
    if len(objects) == 1:
        raw = bytes(objects[0])
        _check_object(raw, f"{at}[0]")
        return raw
    members: dict[str, Raw] = {}
    for i, each in enumerate(objects):
        for name, value in _members(bytes(each), f"{at}[{i}]").items():
            members[_free(name, members)] = value
    return encode(members)


def single(objects: Sequence[Raw] | None) -> Raw | None:
    """The one object of features that most bring, as it was sent; None where there are several, or none, or it is no object.

    >>> single([Raw(b'{"age": 31}')]) == Raw(b'{"age": 31}'), single([Raw(b"31")]), single([])
    (True, None, None)
    """
    return objects[0] if objects and len(objects) == 1 and bytes(objects[0])[:1] == b"{" else None


def _members(raw: bytes, at: str) -> dict[str, Raw]:
    _check_object(raw, at)
    return _decode_members(raw)


def _check_object(raw: bytes, at: str) -> None:
    if raw[:1] != b"{":
        raise InvalidInput(f"Expected an object of features, got `{raw[:40].decode(errors='replace')}`", at=at)


def _free(name: str, taken: dict[str, Raw]) -> str:
    if name not in taken:
        return name
    return next(found for n in range(2, len(taken) + 3) if (found := f"{name}#{n}") not in taken)
