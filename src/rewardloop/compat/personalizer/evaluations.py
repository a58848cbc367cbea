"""The calls about offline evaluations and feature importances: begin one, look, list, delete, apply what won."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import Annotated
from urllib.parse import quote

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from rewardloop.compat.personalizer import shown, starting
from rewardloop.compat.personalizer.administration import Policy, change_policy, directory_of, with_policy
from rewardloop.compat.personalizer.configuration import date
from rewardloop.compat.personalizer.jobs import BASELINE, ONLINE, RANDOM, Job, Jobs, Kind
from rewardloop.compat.personalizer.periods import checked_id, instant, period, queried, whole
from rewardloop.compat.personalizer.policies import parse_policy
from rewardloop.compat.personalizer.replies import NO_CONTENT
from rewardloop.compat.personalizer.target import Asked
from rewardloop.errors import Conflict, InvalidInput, NotFound, did_you_mean
from rewardloop.serving.reading import decode
from rewardloop.serving.replies import JSON, Reply, encode

MAX_POLICIES = 20
_EVERYTHING = 10**9
_FILTER = re.compile(r"\s*evaluationType\s+eq\s+'(Manual|Auto)'\s*")

JobName = Annotated[str, Meta(min_length=1, max_length=256)]


class EvaluationBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """Of both dialects."""

    name: JobName
    start_time: str
    end_time: str
    policies: Annotated[list[Policy], Meta(max_length=MAX_POLICIES)] | None = None
    enable_policy_optimization: bool | None = None
    enable_offline_experimentation: bool | None = None
    """What it is called in v1.0."""


class ImportanceBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    name: JobName
    start_time: str
    end_time: str


class ApplyBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    evaluation_id: str
    policy_name: str


class FeatureScore(msgspec.Struct, frozen=True, rename="camel"):
    feature_name: str
    namespace: str
    score: float


class FeatureImportance(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    id: str
    name: str
    creation_time: str
    start_time: str
    end_time: str
    status: str
    description: str = ""
    feature_scores: list[FeatureScore] = []


class Listed(msgspec.Struct, frozen=True):
    value: Sequence[shown.Evaluation | FeatureImportance]


_evaluation = msgspec.json.Decoder(EvaluationBody)
_importance = msgspec.json.Decoder(ImportanceBody)
_apply = msgspec.json.Decoder(ApplyBody)


async def post_evaluation(asked: Asked) -> Reply:
    """v1.0: the id is made here."""
    job_id = f"evaluation-{asked.call.service.now()}"
    job = await _begin(asked, _evaluation_job(asked, job_id))
    place = quote(f"/experiments/{asked.served.settings.experiment}/personalizer/v1.0/evaluations/{job_id}")
    return Reply(encode(shown.listed_v1(job)), 201, (JSON, (b"location", place.encode())))


async def put_evaluation(asked: Asked) -> Reply:
    await _begin(asked, _evaluation_job(asked, asked.parameters[0]))
    return Reply(b"", 200, ())


async def get_evaluation(asked: Asked) -> Reply:
    job = await _read(asked, "evaluation")
    if asked.versioned:
        return Reply(encode(shown.whole_v1(job)))
    query = queried(asked.call.query)
    start, end = (instant(query[name], name) if name in query else None for name in ("startTime", "endTime"))
    minutes = whole(query, "intervalInMinutes", 0) or None
    return Reply(encode(shown.whole(job, shown.frame(job, start, end, minutes, query.get("window")))))


async def list_evaluations(asked: Asked) -> Reply:
    jobs = await _all(asked, "evaluation")
    if asked.versioned:
        return Reply(encode([shown.listed_v1(job) for job in jobs]))
    query = queried(asked.call.query)
    wanted = _FILTER.fullmatch(query.get("filter", "evaluationType eq 'Manual'"))
    if wanted is None:
        raise InvalidInput(f"Expected a filter such as `evaluationType eq 'Manual'`, got `{query['filter'][:80]}`", at="filter")
    return Reply(encode(Listed([shown.listed(job) for job in _page(jobs if wanted[1] == "Manual" else [], query)])))


async def delete_evaluation(asked: Asked) -> Reply:
    return await _delete(asked, "evaluation")


async def apply_from_evaluation(asked: Asked) -> Reply:
    wanted = decode(_apply, asked.call.body)
    jobs, now = _jobs(asked, "evaluation"), asked.call.service.now()
    job = await asyncio.to_thread(jobs.read, wanted.evaluation_id, now)
    if job.status in ("Running", "Failed"):
        raise Conflict(f"Evaluation `{job.id[:64]}` has no result to apply: it is {job.status.lower()}. {job.description}")
    named = {result.name: result for result in job.results}
    if wanted.policy_name not in named or wanted.policy_name in (BASELINE, RANDOM):
        known = [name for name in named if name not in (BASELINE, RANDOM)]
        near = did_you_mean(wanted.policy_name[:64], known)
        raise NotFound(f"No policy `{wanted.policy_name[:64]}` to apply in this evaluation; it has {', '.join(known)}{near}")
    if wanted.policy_name != ONLINE:
        await change_policy(asked, Policy(wanted.policy_name, named[wanted.policy_name].arguments))
    retained = wanted.policy_name == ONLINE
    await asyncio.to_thread(jobs.write, replace(job, status="OnlinePolicyRetained" if retained else "OptimalPolicyApplied"))
    return NO_CONTENT


async def put_importance(asked: Asked) -> Reply:
    body = decode(_importance, asked.call.body)
    start, end = period(body.start_time, body.end_time)
    job_id = checked_id(asked.parameters[0])
    made = Job(id=job_id, kind="importance", name=body.name, created_at=asked.call.service.now(), start_at=start, end_at=end)
    await _begin(asked, made)
    return Reply(b"", 200, ())


async def get_importance(asked: Asked) -> Reply:
    return Reply(encode(_importance_of(await _read(asked, "importance"), scores=True)))


async def list_importances(asked: Asked) -> Reply:
    jobs = _page(await _all(asked, "importance"), queried(asked.call.query))
    return Reply(encode(Listed([_importance_of(job, scores=False) for job in jobs])))


async def delete_importance(asked: Asked) -> Reply:
    return await _delete(asked, "importance")


def _evaluation_job(asked: Asked, job_id: str) -> Job:
    """Checked whole before anything is kept: what cannot be evaluated is said now, not by a job that fails."""
    body = decode(_evaluation, asked.call.body)
    start, end = period(body.start_time, body.end_time)
    policies = body.policies or []
    names = [ONLINE, BASELINE, RANDOM]
    for i, policy in enumerate(policies):
        if policy.name in names:
            message = f"Expected names that differ from each other and from Online, Baseline, Random, got `{policy.name}`"
            raise InvalidInput(message, at=f"$.policies[{i}].name")
        names.append(policy.name)
        settings = asked.served.settings
        with_policy(settings, parse_policy(policy.arguments, settings.policy.floor, f"$.policies[{i}].arguments"))
    return Job(
        id=checked_id(job_id),
        kind="evaluation",
        name=body.name,
        created_at=asked.call.service.now(),
        start_at=start,
        end_at=end,
        policies=policies,
        optimise=bool(body.enable_policy_optimization or body.enable_offline_experimentation),
    )


async def _begin(asked: Asked, job: Job) -> Job:
    await asyncio.to_thread(_jobs(asked, job.kind).create, job)
    starting.start(asked.call.service.directory.root, asked.served.settings.experiment, job.kind, job.id)
    return job


async def _read(asked: Asked, kind: Kind) -> Job:
    return await asyncio.to_thread(_jobs(asked, kind).read, asked.parameters[0], asked.call.service.now())


async def _all(asked: Asked, kind: Kind) -> list[Job]:
    return await asyncio.to_thread(_jobs(asked, kind).all, asked.call.service.now())


async def _delete(asked: Asked, kind: Kind) -> Reply:
    await asyncio.to_thread(_jobs(asked, kind).delete, asked.parameters[0])
    return NO_CONTENT


def _jobs(asked: Asked, kind: Kind) -> Jobs:
    return Jobs(directory_of(asked).personalizer, kind)


def _page(jobs: Sequence[Job], query: dict[str, str]) -> Sequence[Job]:
    skip = whole(query, "skip", 0)
    return jobs[skip : skip + whole(query, "top", _EVERYTHING)]


def _importance_of(job: Job, *, scores: bool) -> FeatureImportance:
    found = [FeatureScore(score.name, score.namespace, score.value) for score in job.scores] if scores else []
    times = (date(job.created_at), date(job.start_at), date(job.end_at))
    return FeatureImportance(job.id, job.name, *times, job.status, job.description, found)
