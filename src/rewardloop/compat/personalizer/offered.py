"""The actions that a call to rank offers, as they are logged. The same catalogue comes again and again, and is read once."""

from __future__ import annotations

from typing import NamedTuple

import msgspec
from msgspec import Raw

from rewardloop.compat.personalizer.bodies import Body, Id
from rewardloop.compat.personalizer.features import Objects, merged, single
from rewardloop.errors import InvalidInput
from rewardloop.recurring import recurring
from rewardloop.serving.reading import decode
from rewardloop.serving.replies import encode

MAX_ACTIONS = 50
_AT = "$.actions"


class Action(Body, frozen=True, kw_only=True):
    id: Id
    features: Objects = None


class Offered(NamedTuple):
    ids: list[str]
    logged: Raw
    """Ids, or objects where any action has features."""


class _Logged(msgspec.Struct, frozen=True, gc=False):
    id: str
    features: Raw


_actions = msgspec.json.Decoder(list[Action])


def _read(raw: bytes) -> Offered:
    actions = decode(_actions, raw, _AT)
    if not 1 <= len(actions) <= MAX_ACTIONS:
        advice = "; offer the likeliest ones" if actions else ""
        raise InvalidInput(f"Expected 1 to {MAX_ACTIONS} actions, got {len(actions)}{advice}", at=_AT)
    ids = [action.id for action in actions]
    return Offered(ids, Raw(encode(_with_features(actions) if any(action.features for action in actions) else ids)))


read_offered = recurring(_read)
"""JSON of a list of actions. Raises `InvalidInput`."""


def _with_features(actions: list[Action]) -> list[_Logged]:
    return [
        _Logged(action.id, single(action.features) or Raw(merged(action.features, f"{_AT}[{i}].features")))
        for i, action in enumerate(actions)
    ]
