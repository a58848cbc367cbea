"""Reward and activate: an event is looked for first, so that one nobody decided is refused instead of kept for ever."""

from __future__ import annotations

from collections.abc import Sequence

from rewardloop.compat.personalizer.replies import NO_CONTENT
from rewardloop.compat.personalizer.requests import HIGHEST, LOWEST, SlotReward, read_reward, read_slots_reward
from rewardloop.compat.personalizer.target import Asked
from rewardloop.compat.sagemaker.events import made_at
from rewardloop.deciding.rewarding import Rewarder, RewardRequest
from rewardloop.errors import InvalidInput, UnknownEvent, did_you_mean
from rewardloop.events import MAX_EVENT_ID, Reward
from rewardloop.serving.recent import Taken
from rewardloop.serving.replies import Reply

NOTE = b"x-rewardloop-note"
_LATE = b"late: in the log, but not learned from, since the event's reward wait time had ended"
_MILLISECOND = 1_000
"""An id tells no more of when it was made."""
_LATE_ANSWER = Reply(b"", 204, ((NOTE, _LATE),))


async def reward(asked: Asked) -> Reply:
    event_id, value = _event_id(asked), read_reward(asked.call.body)
    name = asked.served.settings.experiment
    request = RewardRequest(event_id=event_id, reward=_in_range(asked, value, "$.value"), experiment=name)
    made_here = asked.call.service.rewarder.made_here(event_id)
    decided_at = made_at(event_id) + _MILLISECOND if made_here else (await _known(asked, event_id)).decided_at
    return await _record(asked, [request], decided_at)


async def reward_slots(asked: Asked) -> Reply:
    event_id, rewards = _event_id(asked), read_slots_reward(asked.call.body)
    known = await _known(asked, event_id)
    requests = [
        RewardRequest(
            event_id=event_id,
            reward=_in_range(asked, each.value, f"$.reward[{i}].value"),
            experiment=asked.served.settings.experiment,
            slot=_slot(each, known.slots, f"$.reward[{i}].slotId"),
        )
        for i, each in enumerate(rewards)
    ]
    return await _record(asked, requests, known.decided_at)


async def activate(asked: Asked) -> Reply:
    if asked.call.body.strip() not in (b"", b"{}"):
        raise InvalidInput("Expected no body: the event is in the path", at="$")
    event_id = _event_id(asked)
    if not asked.call.service.rewarder.made_here(event_id):
        await _known(asked, event_id)
    await asked.call.service.activate(event_id, asked.served.settings.experiment)
    return NO_CONTENT


def _event_id(asked: Asked) -> str:
    event_id = asked.parameters[0]
    if not 0 < len(event_id) <= MAX_EVENT_ID:
        raise InvalidInput(f"Expected an event id of 1 to {MAX_EVENT_ID} characters, got {len(event_id)}", at="eventId")
    return event_id


async def _known(asked: Asked, event_id: str) -> Taken:
    known = await asked.served.taken(event_id)
    if known is None:
        name = asked.served.settings.experiment
        raise UnknownEvent(f"No event `{event_id}` in experiment `{name}`: rank it first, and reward the eventId of the answer")
    return known


def _in_range(asked: Asked, value: float, at: str) -> float:
    """The service took rewards from -1 to 1; an experiment that declares a range takes those."""
    if asked.served.settings.reward.range is None and not LOWEST <= value <= HIGHEST:
        raise InvalidInput(
            f"Expected a reward between {LOWEST:g} and {HIGHEST:g}, got `{value:g}`; scale it, or declare `reward.range`", at=at
        )
    return value


def _slot(each: SlotReward, slots: Sequence[str], at: str) -> str:
    if each.slot_id not in slots:
        raise InvalidInput(f"Unknown slot `{each.slot_id}` of this event{did_you_mean(each.slot_id, slots)}", at=at)
    return each.slot_id


async def _record(asked: Asked, requests: Sequence[RewardRequest], decided_at: int) -> Reply:
    recorded: list[Reward] = []

    def make(rewarder: Rewarder) -> list[Reward]:
        recorded[:] = [rewarder.reward(request) for request in requests]
        return recorded

    await asked.call.service.record(make)
    ends = decided_at + asked.served.settings.reward.window
    return _LATE_ANSWER if recorded[0].rewarded_at > ends else NO_CONTENT
