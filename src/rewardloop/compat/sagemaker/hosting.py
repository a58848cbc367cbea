"""The hosting side of a SageMaker model: what each of its calls does. Reads, asks what serving asks, writes the answer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from rewardloop.compat.sagemaker.answers import (
    Answer,
    ModelIdAnswer,
    RewardAnswer,
    answer,
    check_writable,
    encode,
    write_many,
    write_one,
)
from rewardloop.compat.sagemaker.events import event_id_text, made_at
from rewardloop.compat.sagemaker.replies import SERVED_BY, WrongRequest
from rewardloop.compat.sagemaker.requests import (
    CSV_TYPE,
    JSON_TYPE,
    LINES_TYPE,
    Asked,
    Body,
    answer_type,
    asked,
    read_json,
    read_many,
)
from rewardloop.compat.sagemaker.target import Manner, container, endpoint, manner
from rewardloop.compat.sagemaker.words import in_their_words, position
from rewardloop.deciding.rewarding import Rewarder, RewardRequest
from rewardloop.errors import InvalidInput, UnknownEvent
from rewardloop.events import Reward
from rewardloop.serving.experiment import ServedExperiment
from rewardloop.serving.handlers import Call
from rewardloop.serving.replies import Header, Reply
from rewardloop.serving.service import Service

MAX_PAYLOAD_MB = 6
MAX_CONCURRENT = 64
STEP = 1_000
"""Decisions of a batch that are taken and logged at once; others are answered in between."""

_MILLISECOND = 1_000
_TYPES: dict[bytes, tuple[Header, ...]] = {kind: ((b"content-type", kind), SERVED_BY) for kind in (JSON_TYPE, LINES_TYPE, CSV_TYPE)}
_ATTRIBUTES = b"x-amzn-sagemaker-custom-attributes"
_EMPTY = Reply(b"", 204, (SERVED_BY,))


class Parameters(msgspec.Struct, frozen=True, rename="pascal"):
    """What SageMaker's batch transform asks before it begins."""

    max_concurrent_transforms: int = MAX_CONCURRENT
    batch_strategy: str = "MULTI_RECORD"
    max_payload_in_mb: int = msgspec.field(default=MAX_PAYLOAD_MB, name="MaxPayloadInMB")


class _Told(NamedTuple):
    body: bytes
    kind: bytes = JSON_TYPE


async def ping(call: Call) -> Reply:
    """200 where a model is loaded and the log takes writes, of each experiment; 503 otherwise."""
    return Reply(b"", 200 if call.service.n_served and call.service.ready() else 503, ())


async def execution_parameters(_: Call) -> Reply:
    return Reply(encode(Parameters()))


async def invoke_container(call: Call) -> Reply:
    how = manner(call.headers)
    return await _invoke(call, await container(call.service, how.experiment), how)


async def invoke_endpoint(call: Call) -> Reply:
    return await _invoke(call, await endpoint(call.service, call.parameters[0]), manner(call.headers))


async def invoke_later(_: Call) -> Reply:
    raise WrongRequest("Not served here: asynchronous inference, whose answers go to S3. A decision takes no time: invoke_endpoint")


async def invoke_streaming(_: Call) -> Reply:
    raise WrongRequest("Not served here: a response stream. A decision is one short answer: invoke_endpoint")


async def _invoke(call: Call, served: ServedExperiment, how: Manner) -> Reply:
    if not call.body:
        return _EMPTY
    kind = answer_type(how.accept, how.content_type)
    one = how.content_type == JSON_TYPE
    told = await (_one(call, served, how, kind) if one else _many(call, served, how.content_type, kind))
    headers = _TYPES[told.kind]
    return Reply(told.body, 200, (*headers, (_ATTRIBUTES, how.attributes)) if how.attributes else headers)


async def _one(call: Call, served: ServedExperiment, how: Manner, kind: bytes) -> _Told:
    body = read_json(call.body)
    wanted = body.kind
    if wanted == "observation":
        call.caller.require("decide")
        return _Told(write_one(await _decide(served, asked(body, how.event_id), kind), kind), kind)
    if wanted == "model_id":
        return _Told(encode(ModelIdAnswer(served.hosted.model_id, served.settings.experiment)))
    call.caller.require("reward")
    return _Told(encode(await _reward(call.service, served, body)))


async def _decide(served: ServedExperiment, wanted: Asked, kind: bytes) -> Answer:
    _check(served, wanted, kind)
    with_features = wanted.offered is not None
    try:
        decision, _ = await served.decide(wanted.request, (wanted.offered, ()) if wanted.offered is not None else None)
    except InvalidInput as error:
        raise in_their_words(error, with_features) from None
    return answer(decision, with_features)


async def _many(call: Call, served: ServedExperiment, content_type: bytes, kind: bytes) -> _Told:
    """All lines are read and understood before the first decision: a batch with a wrong line decides nothing."""
    call.caller.require("decide")
    wanted = list(read_many(call.body, content_type))
    for one in wanted:
        _check(served, one, kind)
    steps = [wanted[start : start + STEP] for start in range(0, len(wanted), STEP)]
    for step in steps if len(steps) > 1 else ():
        await asyncio.sleep(0)
        _check_some(served, step)
    told = [one for step in steps for one in await _decide_some(served, step)]
    return _Told(write_many(told, kind), kind)


async def _decide_some(served: ServedExperiment, wanted: Sequence[Asked]) -> list[Answer]:
    try:
        made = await served.decide_many([one.whole for one in wanted], msgspec.UNSET)
    except InvalidInput as error:
        raise _refused(error, wanted) from None
    return [answer(decision, one.offered is not None) for (decision, _), one in zip(made, wanted, strict=True)]


def _check_some(served: ServedExperiment, wanted: Sequence[Asked]) -> None:
    try:
        served.check_many([one.whole for one in wanted])
    except InvalidInput as error:
        raise _refused(error, wanted) from None


def _refused(error: InvalidInput, wanted: Sequence[Asked]) -> InvalidInput:
    one = wanted[position(error)]
    return in_their_words(error, one.offered is not None, one.line)


def _check(served: ServedExperiment, wanted: Asked, kind: bytes) -> None:
    with_features = wanted.offered is not None
    check_writable(with_features, kind)
    name, fixed = served.settings.experiment, served.settings.actions is not None
    if with_features and fixed:
        raise InvalidInput(f"Expected `observation`: experiment `{name}` has fixed arms, not actions with features")
    if not with_features and not fixed:
        raise InvalidInput(f"Expected `actions_context`: experiment `{name}` has no fixed arms")


async def _reward(service: Service, served: ServedExperiment, body: Body) -> RewardAnswer:
    if body.event_id is None or body.reward is None:
        missing = "event_id" if body.event_id is None else "reward"
        raise InvalidInput(f"Expected `{missing}` in a reward, got none", at=f"$.{missing}")
    name = served.settings.experiment
    request = RewardRequest(event_id=event_id_text(body.event_id), reward=body.reward, experiment=name)
    decided_at = await _decided_at(service, served, request.event_id)
    recorded: list[Reward] = []

    def make(rewarder: Rewarder) -> list[Reward]:
        recorded[:] = [rewarder.reward(request)]
        return recorded

    await service.record(make)
    if recorded[0].rewarded_at > decided_at + served.settings.reward.window + _MILLISECOND:
        return RewardAnswer("late", "In the log, but its event's window had ended: it will not be learned from (reward.window)")
    return RewardAnswer("success")


async def _decided_at(service: Service, served: ServedExperiment, event_id: str) -> int:
    """Raises `UnknownEvent`. An id made here says when; a client's own, which another dialect took, has to be looked for."""
    if service.rewarder.made_here(event_id):
        return made_at(event_id)
    decision = await served.find(event_id)
    if decision is None:
        name = served.settings.experiment
        raise UnknownEvent(f"No decision with event_id `{event_id}` in experiment `{name}`", at="$.event_id")
    return decision.decided_at
