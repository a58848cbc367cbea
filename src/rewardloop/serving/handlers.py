"""What each route of the API does: decode, ask the service, encode. One function a route."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple
from urllib.parse import parse_qs

import msgspec
from msgspec import UNSET, Raw, UnsetType

from rewardloop.deciding.asking import DecideRequest
from rewardloop.deciding.rewarding import RewardRequest
from rewardloop.events import Decision
from rewardloop.registry.records import ModelRecord
from rewardloop.serving.access import ANYBODY, Caller
from rewardloop.serving.counts import Counts
from rewardloop.serving.experiment import ServedExperiment
from rewardloop.serving.reading import decode
from rewardloop.serving.replies import Header, Reply, encode
from rewardloop.serving.service import Service
from rewardloop.serving.wire import (
    ActivateAnswer,
    ActivateRequest,
    DecideAnswer,
    DecideBatch,
    DecideBatchAnswer,
    DeploymentsView,
    EvaluationsView,
    ExperimentReadiness,
    ExperimentsView,
    ExperimentView,
    Health,
    ModelsView,
    ModelView,
    Readiness,
    RewardBatch,
    RewardsAnswer,
    RolloutsView,
    SlotAnswer,
)
from rewardloop.settings import to_mapping
from rewardloop.slots import shown


class About(NamedTuple):
    """What the server says about itself."""

    description: bytes
    """The OpenAPI document."""
    workers: Callable[[], Mapping[str, Counts]]
    """Worker → what it counted, this one's included."""


class Call(msgspec.Struct, frozen=True):
    """One request: what its path, query, headers and body say."""

    service: Service
    about: About
    parameters: tuple[str, ...]
    query: bytes
    headers: Sequence[Header]
    """Names in lower case."""
    body: bytes
    caller: Caller = ANYBODY
    """`service` shows no more than it may see."""


class _ManyRewards(msgspec.Struct):
    rewards: Raw | UnsetType = UNSET


_decide = msgspec.json.Decoder(DecideRequest)
_decide_batch = msgspec.json.Decoder(DecideBatch)
_reward = msgspec.json.Decoder(RewardRequest)
_reward_batch = msgspec.json.Decoder(RewardBatch)
_many_rewards = msgspec.json.Decoder(_ManyRewards)
_activate = msgspec.json.Decoder(ActivateRequest)


async def decide(call: Call) -> Reply:
    name = call.parameters[0]
    experiment = call.service.known(name) or await call.service.experiment(name)
    decision, action = await experiment.decide(decode(_decide, call.body))
    return Reply(encode(_answer(decision, action)))


async def decide_batch(call: Call) -> Reply:
    experiment = await call.service.experiment(call.parameters[0])
    batch = decode(_decide_batch, call.body)
    answers = await experiment.decide_many(batch.requests, batch.actions)
    return Reply(encode(DecideBatchAnswer([_answer(decision, action) for decision, action in answers])))


async def reward(call: Call) -> Reply:
    if decode(_many_rewards, call.body).rewards is UNSET:
        one = decode(_reward, call.body)
        await call.service.record(lambda rewarder: [rewarder.reward(one)])
        return Reply(encode(RewardsAnswer(1)))
    many = decode(_reward_batch, call.body).rewards
    await call.service.record(lambda rewarder: rewarder.rewards(many))
    return Reply(encode(RewardsAnswer(len(many))))


async def activate(call: Call) -> Reply:
    event_id = call.parameters[0]
    named = decode(_activate, call.body).experiment if call.body else None
    activation = await call.service.activate(event_id, named or _queried(call.query, "experiment"))
    return Reply(encode(ActivateAnswer(event_id, activation.experiment)))


async def experiments(call: Call) -> Reply:
    served = sorted(call.service.experiments.items())
    return Reply(encode(ExperimentsView([_view(experiment) for _, experiment in served])))


async def experiment(call: Call) -> Reply:
    return Reply(encode(_view(await call.service.experiment(call.parameters[0]))))


async def models(call: Call) -> Reply:
    name = (await call.service.experiment(call.parameters[0])).settings.experiment
    records = await asyncio.to_thread(call.service.catalog.models, name)
    return Reply(encode(ModelsView([_model(record) for record in records])))


async def evaluations(call: Call) -> Reply:
    name = (await call.service.experiment(call.parameters[0])).settings.experiment
    return Reply(encode(EvaluationsView(list(await asyncio.to_thread(call.service.catalog.evaluations, name)))))


async def deployments(call: Call) -> Reply:
    name = (await call.service.experiment(call.parameters[0])).settings.experiment
    return Reply(encode(DeploymentsView(list(await asyncio.to_thread(call.service.catalog.deployments, name)))))


async def rollouts(call: Call) -> Reply:
    name = (await call.service.experiment(call.parameters[0])).settings.experiment
    return Reply(encode(RolloutsView(list(await asyncio.to_thread(call.service.catalog.rollouts, name)))))


async def health(_: Call) -> Reply:
    return Reply(encode(Health("ok")))


async def readiness(call: Call) -> Reply:
    ready = call.service.ready()
    answer = Readiness(ready, {name: _readiness(served) for name, served in sorted(call.service.experiments.items())})
    return Reply(encode(answer), 200 if ready else 503)


def _answer(decision: Decision, action: str) -> DecideAnswer:
    slots: list[SlotAnswer] | UnsetType = [SlotAnswer(*each) for each in shown(decision)] if decision.slots else UNSET
    plain = DecideAnswer(decision.event_id, action, decision.action, decision.probability, decision.model_id, slots)
    return msgspec.structs.replace(plain, values=decision.values, density=decision.density) if decision.values else plain


def _view(served: ServedExperiment) -> ExperimentView:
    return ExperimentView(served.settings.experiment, served.hosted.model_id, to_mapping(served.settings))


def _model(record: ModelRecord) -> ModelView:
    return ModelView(
        record.model_id,
        record.parent,
        record.created_at,
        record.watermark,
        record.dataset,
        record.n_trained,
        record.metrics,
    )


def _readiness(served: ServedExperiment) -> ExperimentReadiness:
    return ExperimentReadiness(served.counts.ready, served.hosted.model_id, served.problem)


def _queried(query: bytes, key: str) -> str | None:
    values = parse_qs(query.decode("latin-1")).get(key)
    return values[0] if values else None
