"""What a request wants filled, understood: positions of a ranking, slots that share actions, slates. Chooses nothing."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import UNSET

from rewardloop.actions import ActionSet
from rewardloop.deciding.asking import DecideRequest, SlotRequest
from rewardloop.deciding.filling import Slot
from rewardloop.deciding.offers import Offer, Offers
from rewardloop.errors import InvalidInput
from rewardloop.features import Features, parse_context
from rewardloop.slots import check_free, left, parse_slot

MAX_LOGGED = 100_000
"""Probabilities that one decision over several slots logs."""


def wanted(offers: Offers, request: DecideRequest, usual: Offer | None, at: str) -> list[Slot]:
    """The slots to fill, in order. Raises `InvalidInput` with the place; `at` is that of the request.

    `usual` is on offer where the request names no actions.
    """
    if request.top_k and request.slots:
        raise InvalidInput("Expected `top_k` or `slots`, got both: the slots say how many there are", at=f"{at}.top_k")
    raw = bytes(request.context)
    context = parse_context(raw, f"{at}.context")
    if not request.slots:
        return _positions(offers.of_request(request, usual, at), context, request.top_k or 1, at)
    check_free(context, f"{at}.context")
    _check_ids(request.slots, at)
    _check_actions(request, offers.fixed, at)
    places = [f"{at}.slots[{i}]" for i in range(len(request.slots))]
    slate = request.slots[0].actions is not UNSET and not offers.fixed
    shared = None if slate else offers.of_request(request, usual, at)
    slots = [_slot(offers, shared, raw, asked, place) for asked, place in zip(request.slots, places, strict=True)]
    _check_room(slots, places)
    if sum(len(slot.actions) for slot in slots) > MAX_LOGGED:
        raise InvalidInput(f"Expected at most {MAX_LOGGED} actions over all slots, got more", at=f"{at}.slots")
    return slots


def _positions(offer: Offer, context: Features, top_k: int, at: str) -> list[Slot]:
    actions, excluded = offer
    if top_k * len(actions) > MAX_LOGGED:
        most = MAX_LOGGED // len(actions)
        raise InvalidInput(
            f"Expected at most {most} positions where {len(actions)} actions are on offer, got {top_k}", at=f"{at}.top_k"
        )
    n_left = len(actions) - len(excluded)
    if top_k > n_left:
        raise InvalidInput(f"Expected at most {n_left}, the number of actions that may be chosen, got {top_k}", at=f"{at}.top_k")
    return [Slot(str(position), actions, excluded, context) for position in range(1, top_k + 1)]


def _slot(offers: Offers, shared: Offer | None, context: bytes, asked: SlotRequest, at: str) -> Slot:
    """One slot; `shared` is what all of them choose from, None in a slate."""
    if asked.actions is not UNSET:
        actions, here = offers.of_json(bytes(asked.actions), f"{at}.actions")
    else:
        assert shared is not None, "of a slate, each slot brings its own"
        actions, here = shared[0], ()
    if asked.excluded:
        _, here = offers.without((actions, here), asked.excluded, f"{at}.excluded")
    gone = tuple(sorted({*here, *(shared[1] if shared is not None else ())}))
    features = bytes(asked.features) if asked.features is not UNSET else b"{}"
    seen = parse_slot(context, asked.id, features, at)
    return Slot(asked.id, actions, gone, seen, features, shared is None, here, _baseline(asked, actions, at))


def _baseline(asked: SlotRequest, actions: ActionSet, at: str) -> str:
    return "" if asked.baseline is None else actions.ids[actions.index(asked.baseline, f"{at}.baseline")]


def _check_ids(slots: Sequence[SlotRequest], at: str) -> None:
    ids = [slot.id for slot in slots]
    twice = next((i for i, slot in enumerate(ids) if slot in ids[:i]), None)
    if twice is not None:
        raise InvalidInput(f"Expected unique slot ids, got `{ids[twice]}` twice", at=f"{at}.slots[{twice}].id")


def _check_actions(request: DecideRequest, fixed: bool, at: str) -> None:
    """A slate brings all of its actions by slot; they replace the event's."""
    bring = [slot.actions is not UNSET for slot in request.slots]
    if fixed or not any(bring):
        return
    if not all(bring):
        slot = bring.index(False)
        raise InvalidInput("Expected `actions`, as other slots bring their own: each slot does, or none", at=f"{at}.slots[{slot}]")
    for key, given in (("actions", request.actions is not UNSET), ("excluded", bool(request.excluded))):
        if given:
            raise InvalidInput(f"Expected no `{key}` beside slots that bring their own actions", at=f"{at}.{key}")


def _check_room(slots: Sequence[Slot], places: Sequence[str]) -> None:
    """Raises `InvalidInput` for the first slot that could find nothing left, whatever those above it take."""
    for above, (slot, at) in enumerate(zip(slots, places, strict=True)):
        n_left, n_above = len(left(len(slot.actions), slot.excluded)), 0 if slot.own else above
        if not n_left:
            raise InvalidInput(f"Expected an action that slot `{slot.id}` may take, got none: exclude fewer", at=at)
        if n_left <= n_above:
            message = f"Expected an action for each slot, got {n_left} that slot `{slot.id}` may take and {n_above} slots above it"
            raise InvalidInput(f"{message}: ask for fewer, or put it further up", at=at)
