"""Rank: one action first, or one for each slot. The order of a ranking is made here, and nothing is chosen here."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from rewardloop.compat.personalizer.requests import in_their_words, read_rank, read_slots
from rewardloop.compat.personalizer.target import Asked
from rewardloop.errors import InvalidInput
from rewardloop.events import Decision
from rewardloop.serving.experiment import ServedExperiment
from rewardloop.serving.replies import Reply, encode
from rewardloop.slots import shown


class RankedAction(msgspec.Struct, frozen=True, gc=False):
    id: str
    probability: float


class RankAnswer(msgspec.Struct, frozen=True, rename="camel", gc=False):
    ranking: list[RankedAction]
    """The chosen action, then the others by falling probability; excluded ones have 0."""
    event_id: str
    reward_action_id: str


class FilledSlot(msgspec.Struct, frozen=True, rename="camel", gc=False):
    id: str
    reward_action_id: str


class SlotsAnswer(msgspec.Struct, frozen=True, rename="camel", gc=False):
    slots: list[FilledSlot]
    event_id: str


async def rank(asked: Asked) -> Reply:
    try:
        offered, request = read_rank(asked.call.body)
        decision, action = await asked.served.decide(request)
    except InvalidInput as error:
        raise in_their_words(error) from None
    return Reply(encode(RankAnswer(_ranking(asked.served, offered, decision), decision.event_id, action)), 201)


async def rank_slots(asked: Asked) -> Reply:
    try:
        decision, _ = await asked.served.decide(read_slots(asked.call.body))
    except InvalidInput as error:
        raise in_their_words(error) from None
    slots = [FilledSlot(each.slot, each.action) for each in shown(decision)]
    return Reply(encode(SlotsAnswer(slots, decision.event_id)), 201)


def _ranking(served: ServedExperiment, offered: Sequence[str], decision: Decision) -> list[RankedAction]:
    """Of the ids that the body offers; of fixed actions it may have named some only, in an order of its own."""
    fixed = served.settings.action_ids
    probabilities = decision.pmf if fixed is None else [dict(zip(fixed, decision.pmf, strict=True))[each] for each in offered]
    chosen = decision.action if fixed is None else offered.index(fixed[decision.action])
    order = sorted(range(len(offered)), key=probabilities.__getitem__, reverse=True)
    order.remove(chosen)
    return [RankedAction(offered[i], probabilities[i]) for i in (chosen, *order)]
