"""The bodies of rank, reward and their multi-slot kin, and the decisions that they ask for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, Raw, UnsetType

from rewardloop.compat.personalizer.bodies import Body, Id, MaybeId
from rewardloop.compat.personalizer.features import Objects, merged, single
from rewardloop.compat.personalizer.offered import read_offered
from rewardloop.deciding.asking import DecideRequest, SlotRequest
from rewardloop.errors import InvalidInput, RewardloopError
from rewardloop.serving.reading import decode

MAX_SLOTS = 50
LOWEST, HIGHEST = -1.0, 1.0
"""Of a reward, where the experiment declares no range of its own."""


class RankBody(Body, frozen=True, kw_only=True):
    context_features: Objects = None
    actions: Raw
    """A list of `Action`."""
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
    actions: Raw
    """A list of `Action`."""
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
_BASELINE = re.compile(r"(\$\.slots\[\d+\])\.baseline(?![A-Za-z])")
_EXCLUDED = re.compile(r"\$(\.slots\[\d+\])?\.excluded(?![A-Za-z])")


def read_rank(raw: bytes) -> tuple[list[str], DecideRequest]:
    """The ids of the actions that are offered, and what is asked. Raises `InvalidInput`."""
    body = decode(_rank, raw)
    ids, actions = read_offered(bytes(body.actions))
    request = DecideRequest(
        context=single(body.context_features) or Raw(merged(body.context_features, "$.contextFeatures")),
        actions=actions,
        event_id=body.event_id or None,
        excluded=body.excluded_actions or [],
        deferred=bool(body.defer_activation),
    )
    return ids, request


def read_slots(raw: bytes) -> DecideRequest:
    """Raises `InvalidInput`."""
    body = decode(_slots, raw)
    if not 1 <= len(body.slots) <= MAX_SLOTS:
        raise InvalidInput(f"Expected 1 to {MAX_SLOTS} slots, got {len(body.slots)}", at="$.slots")
    return DecideRequest(
        context=Raw(merged(body.context_features, "$.contextFeatures")),
        actions=read_offered(bytes(body.actions)).logged,
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
    >>> _places("$.context.age"), _places("$.slots[0].excluded[1]"), _places("$.slots[0].baseline"), _places("$.contextFeatures[0]")
    ('$.contextFeatures.age', '$.slots[0].excludedActions[1]', '$.slots[0].baselineAction', '$.contextFeatures[0]')
    """
    named = _BASELINE.sub(r"\1.baselineAction", _CONTEXT.sub("$.contextFeatures", text))
    return _EXCLUDED.sub(r"$\1.excludedActions", named)


def _slot(slot: Slot, at: str) -> SlotRequest:
    objects = [*(slot.features or ()), *(slot.position_features or ())]
    features: Raw | UnsetType = Raw(merged(objects, f"{at}.features")) if objects else UNSET
    return SlotRequest(id=slot.id, features=features, excluded=slot.excluded_actions or [], baseline=slot.baseline_action)
