"""The bodies of rank, reward and their multi-slot kin, and the decisions that they ask for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, Raw, UnsetType

from rewardloop.compat.personalizer.features import Objects, merged
from rewardloop.deciding.asking import DecideRequest, SlotRequest
from rewardloop.errors import InvalidInput, RewardloopError
from rewardloop.events import MAX_EVENT_ID
from rewardloop.serving.reading import decode
from rewardloop.serving.replies import encode

MAX_ACTIONS = 50
MAX_SLOTS = 50
LOWEST, HIGHEST = -1.0, 1.0
"""Of a reward, where the experiment declares no range of its own."""

Id = Annotated[str, Meta(min_length=1, max_length=MAX_EVENT_ID)]
MaybeId = Annotated[str, Meta(max_length=MAX_EVENT_ID)] | None


class Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename="camel"):
    """Base of all bodies: a key that is not known is refused."""


class Action(Body, frozen=True, kw_only=True):
    id: Id
    features: Objects = None


class RankBody(Body, frozen=True, kw_only=True):
    context_features: Objects = None
    actions: list[Action]
    excluded_actions: list[Id] | None = None
    event_id: MaybeId = None
    defer_activation: bool | None = None


class Slot(Body, frozen=True, kw_only=True):
    id: Id
    baseline_action: Id
    features: Objects = None
    position_features: Objects = None
    excluded_actions: list[Id] | None = None


class SlotsBody(Body, frozen=True, kw_only=True):
    context_features: Objects = None
    actions: list[Action]
    slots: list[Slot]
    event_id: MaybeId = None
    defer_activation: bool | None = None


class RewardBody(Body, frozen=True):
    value: float


class SlotReward(Body, frozen=True):
    slot_id: Id
    value: float


class SlotsRewardBody(Body, frozen=True):
    reward: Annotated[list[SlotReward], Meta(min_length=1, max_length=MAX_SLOTS)]


_rank = msgspec.json.Decoder(RankBody)
_slots = msgspec.json.Decoder(SlotsBody)
_reward = msgspec.json.Decoder(RewardBody)
_slots_reward = msgspec.json.Decoder(SlotsRewardBody)

_CONTEXT = re.compile(r"\$\.context(?![A-Za-z])")
_EXCLUDED = re.compile(r"\$(\.slots\[\d+\])?\.excluded(?![A-Za-z])")


def read_rank(raw: bytes) -> tuple[RankBody, DecideRequest]:
    """Raises `InvalidInput`."""
    body = decode(_rank, raw)
    request = DecideRequest(
        context=Raw(merged(body.context_features, "$.contextFeatures")),
        actions=Raw(_actions(body.actions)),
        event_id=body.event_id or None,
        excluded=body.excluded_actions or [],
        deferred=bool(body.defer_activation),
    )
    return body, request


def read_slots(raw: bytes) -> DecideRequest:
    """Raises `InvalidInput`."""
    body = decode(_slots, raw)
    if not 1 <= len(body.slots) <= MAX_SLOTS:
        raise InvalidInput(f"Expected 1 to {MAX_SLOTS} slots, got {len(body.slots)}", at="$.slots")
    return DecideRequest(
        context=Raw(merged(body.context_features, "$.contextFeatures")),
        actions=Raw(_actions(body.actions)),
        event_id=body.event_id or None,
        deferred=bool(body.defer_activation),
        slots=[_slot(slot, f"$.slots[{i}]") for i, slot in enumerate(body.slots)],
    )


def read_reward(raw: bytes) -> float:
    """Raises `InvalidInput`."""
    return decode(_reward, raw).value


def read_slots_reward(raw: bytes) -> Sequence[SlotReward]:
    """Raises `InvalidInput`, for a slot that is rewarded twice as well."""
    rewards = decode(_slots_reward, raw).reward
    ids = [reward.slot_id for reward in rewards]
    twice = next((i for i, slot in enumerate(ids) if slot in ids[:i]), None)
    if twice is not None:
        raise InvalidInput(f"Expected one reward a slot, got two for `{ids[twice]}`", at=f"$.reward[{twice}].slotId")
    return rewards


def in_their_words(error: InvalidInput) -> RewardloopError:
    """An error about a decision, with the names that the keys have in the body."""
    told = type(error)(_places(str(error)))
    told.at = _places(error.at) if error.at else None
    return told


def _places(text: str) -> str:
    """
    >>> _places("$.context.age"), _places("$.slots[0].excluded[1]"), _places("$.contextFeatures[0]")
    ('$.contextFeatures.age', '$.slots[0].excludedActions[1]', '$.contextFeatures[0]')
    """
    return _EXCLUDED.sub(r"$\1.excludedActions", _CONTEXT.sub("$.contextFeatures", text))


def _actions(actions: list[Action]) -> bytes:
    """As they are logged: ids, or objects where any action has features."""
    if not 1 <= len(actions) <= MAX_ACTIONS:
        advice = "; offer the likeliest ones" if actions else ""
        raise InvalidInput(f"Expected 1 to {MAX_ACTIONS} actions, got {len(actions)}{advice}", at="$.actions")
    if not any(action.features for action in actions):
        return encode([action.id for action in actions])
    some = [
        b'{"id":%b,"features":%b}' % (encode(action.id), merged(action.features, f"$.actions[{i}].features"))
        for i, action in enumerate(actions)
    ]
    return b"[%b]" % b",".join(some)


def _slot(slot: Slot, at: str) -> SlotRequest:
    objects = [*(slot.features or ()), *(slot.position_features or ())]
    features: Raw | UnsetType = Raw(merged(objects, f"{at}.features")) if objects else UNSET
    return SlotRequest(id=slot.id, features=features, excluded=slot.excluded_actions or [], baseline=slot.baseline_action)
