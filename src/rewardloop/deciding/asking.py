"""What a client asks for when it asks for a decision. Types only; `deciding` and `slotting` understand them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from rewardloop.errors import InvalidInput
from rewardloop.events import MAX_CANDIDATES, MAX_EVENT_ID, MAX_SLOTS, MAX_STICKY

EventId = Annotated[str, Meta(min_length=1, max_length=MAX_EVENT_ID)]


class SlotRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, gc=False):
    """One slot to fill."""

    id: EventId
    features: msgspec.Raw | UnsetType = UNSET
    """A JSON object: what is known of the slot."""
    excluded: Annotated[list[EventId], Meta(max_length=MAX_CANDIDATES)] = []
    """Ids of actions that this slot must not take."""
    actions: msgspec.Raw | UnsetType = UNSET
    """Actions of this slot alone; then every slot brings its own. Of fixed actions: those that this slot may take."""
    baseline: EventId | None = None
    """Id of the action that this slot shows while the baseline decides (`mode: apprentice`); by default the experiment's."""


class DecideRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, gc=False):
    """What a client asks. The same `event_id` asked twice of the same model gets the same answer."""

    context: msgspec.Raw
    """A JSON object."""
    actions: msgspec.Raw | UnsetType = UNSET
    """The actions on offer; required unless the experiment has fixed ones, of which it then names those that are eligible."""
    event_id: EventId | None = None
    """The client's own id; by default one is made."""
    explore: bool = True
    """False: the best action, without the exploration floor; logged as such."""
    excluded: Annotated[list[EventId], Meta(max_length=MAX_CANDIDATES)] = []
    """Ids of offered actions that must not be chosen this time."""
    deferred: bool = False
    """True: the event counts only once it is activated."""
    top_k: Annotated[int, Meta(ge=1, le=MAX_SLOTS)] | None = None
    """Rank: so many different actions, from the first position to the last."""
    slots: Annotated[list[SlotRequest], Meta(max_length=MAX_SLOTS)] = []
    """Fill these slots, from the first to the last: a different action for each, or one of its own actions."""
    sticky: Annotated[str, Meta(min_length=1, max_length=MAX_STICKY)] | None = None
    """Decisions of one value meet one variant of a trial: `"user-17"`. It is logged, and no model sees it."""


def checked_top_k(top_k: int | None) -> int | None:
    """In process nothing has decoded it. Raises `InvalidInput`."""
    if top_k is not None and not 1 <= top_k <= MAX_SLOTS:
        raise InvalidInput(f"Expected 1 to {MAX_SLOTS}, got {top_k}", at="$.top_k")
    return top_k


def checked_sticky(sticky: str | None) -> str | None:
    """In process nothing has decoded it. Raises `InvalidInput`."""
    if sticky is None:
        return None
    if not (isinstance(sticky, str) and 1 <= len(sticky) <= MAX_STICKY):
        raise InvalidInput(f"Expected a text of 1 to {MAX_STICKY} characters, got {str(sticky)[:40]!r}", at="$.sticky")
    if not sticky.isprintable() and any("\ud800" <= letter <= "\udfff" for letter in sticky):
        raise InvalidInput("Expected text that UTF-8 can write, got half of a pair of surrogates", at="$.sticky")
    return sticky


def slot_requests(slots: Sequence[Mapping[str, object]]) -> list[SlotRequest]:
    """Slots given as plain values. Raises `InvalidInput`."""
    if not slots:
        return []
    if len(slots) > MAX_SLOTS:
        raise InvalidInput(f"Expected at most {MAX_SLOTS} slots, got {len(slots)}", at="$.slots")
    return [_slot_request(slot, f"$.slots[{i}]") for i, slot in enumerate(slots)]


def _slot_request(slot: Mapping[str, object], at: str) -> SlotRequest:
    try:
        return msgspec.json.decode(msgspec.json.encode(slot), type=SlotRequest)
    except (msgspec.MsgspecError, TypeError) as error:
        raise InvalidInput(f"Expected a slot such as {{'id': 'top'}}: {error}", at=at) from None
