"""An evaluation as each of the two dialects shows it: sums of five minutes become series and totals. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

import msgspec

from rewardloop.clock import SECOND
from rewardloop.compat.personalizer.configuration import date
from rewardloop.compat.personalizer.jobs import Job, PolicyResult
from rewardloop.compat.personalizer.statistics import Bucket, Value, ips, snips, total
from rewardloop.errors import InvalidInput

Window = Literal["Expanding", "Rolling"]
MINUTES = (5, 60, 360, 720, 1_440)


class Summary(msgspec.Struct, frozen=True, rename="camel"):
    expected_reward: float | None
    """SNIPS; None where no event tells."""
    confidence_interval: list[float]


class Point(msgspec.Struct, frozen=True, rename="camel"):
    time_stamp: str
    expected_reward: float | None
    confidence_interval: list[float]


class Series(msgspec.Struct, frozen=True):
    data: list[Point]


class Shown(msgspec.Struct, frozen=True, rename="camel"):
    """A policy in 2022-09."""

    name: str
    arguments: str
    policy_source: str
    slot_id: str
    summary: Summary
    timeseries: Series


class Content(msgspec.Struct, frozen=True, rename="camel"):
    start_time: str
    end_time: str
    interval_in_minutes: int
    value: list[Shown]


class Evaluation(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """An evaluation in 2022-09; in a list it has no content."""

    id: str
    name: str
    evaluation_type: str
    creation_time: str
    start_time: str
    end_time: str
    status: str
    description: str = ""
    optimal_policy: str = ""
    content: Content | None = None


class Statistics(msgspec.Struct, frozen=True, rename="camel"):
    """A sum in v1.0: IPS is numerator / denominator, SNIPS numerator / its own denominator."""

    time_stamp: str
    ips_estimator_numerator: float
    ips_estimator_denominator: float
    snips_estimator_denominator: float
    aggregate_time_window: str
    non_zero_probability: float
    """Events whose action the policy would have chosen at all."""
    sum_of_squares: float
    confidence_interval: float
    """Half the width of SNIPS'."""
    average_reward: float
    """SNIPS."""
    ips_average_reward: float
    ips_confidence_interval: float


class PolicyStatistics(msgspec.Struct, frozen=True, rename="camel"):
    name: str
    arguments: str
    policy_source: str
    summary: list[Statistics]
    total_summary: Statistics


class EvaluationV1(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    id: str
    name: str
    start_time: str
    end_time: str
    job_id: str
    status: str
    policy_results: list[PolicyStatistics] = []
    feature_importance: list[list[str]] = []
    description: str = ""
    optimal_policy: str = ""


class Frame(NamedTuple):
    """How a series is asked for: a period, and how it is cut."""

    start_at: int
    end_at: int
    minutes: int = 5
    window: Window = "Expanding"


def frame(job: Job, start_at: int | None, end_at: int | None, minutes: int | None, window: str | None) -> Frame:
    """Raises `InvalidInput` for what the service did not cut either."""
    wanted = window or ("Rolling" if minutes not in (None, 5) else "Expanding")
    cut = minutes or (60 if wanted == "Rolling" else 5)
    if cut not in MINUTES:
        raise InvalidInput(f"Expected {', '.join(map(str, MINUTES))}, got {cut}", at="intervalInMinutes")
    if wanted not in ("Expanding", "Rolling") or (wanted == "Expanding") != (cut == 5):
        raise InvalidInput(f"Expected Expanding with 5 minutes or Rolling with more, got `{wanted[:40]}` with {cut}", at="window")
    start, end = job.start_at if start_at is None else start_at, job.end_at if end_at is None else end_at
    return Frame(start, end, cut, "Expanding" if wanted == "Expanding" else "Rolling")


def listed(job: Job) -> Evaluation:
    return Evaluation(
        job.id,
        job.name,
        "Manual",
        date(job.created_at),
        date(job.start_at),
        date(job.end_at),
        job.status,
        job.description,
        job.optimal,
    )


def whole(job: Job, how: Frame) -> Evaluation:
    shown = [_shown(result, how) for result in job.results]
    content = Content(date(how.start_at), date(how.end_at), how.minutes, shown) if shown else None
    return msgspec.structs.replace(listed(job), content=content)


def listed_v1(job: Job) -> EvaluationV1:
    return EvaluationV1(
        job.id, job.name, date(job.start_at), date(job.end_at), job.id, job.status,
        description=job.description, optimal_policy=job.optimal,
    )  # fmt: skip


def whole_v1(job: Job) -> EvaluationV1:
    how = Frame(job.start_at, job.end_at, 60, "Rolling")
    results = [
        PolicyStatistics(
            result.name,
            result.arguments,
            result.source,
            [_statistics(sums, "PT1H") for sums in _cut(result.buckets, how)],
            _statistics(total(result.buckets, job.start_at), "P0D"),
        )
        for result in job.results
    ]
    return msgspec.structs.replace(listed_v1(job), policy_results=results)


def _shown(result: PolicyResult, how: Frame) -> Shown:
    inside = [each for each in result.buckets if how.start_at <= each.at + 5 * 60 * SECOND and each.at <= how.end_at]
    points = [Point(date(sums.at), *_told(snips(sums))) for sums in _cut(inside, how)]
    summary = Summary(*_told(snips(total(inside))))
    return Shown(result.name, result.arguments, result.source, "", summary, Series(points))


def _cut(buckets: Sequence[Bucket], how: Frame) -> Iterator[Bucket]:
    """One for each interval that has events; of an expanding window, everything until its end."""
    width = how.minutes * 60 * SECOND
    starts = sorted({each.at // width * width for each in buckets})
    for start in starts:
        first = 0 if how.window == "Expanding" else start
        yield total([each for each in buckets if first <= each.at < start + width], start)


def _told(value: Value | None) -> tuple[float | None, list[float]]:
    return (None, []) if value is None else (value.mean, [value.lower, value.upper])


def _statistics(sums: Bucket, window: str) -> Statistics:
    self_normalised, plain = snips(sums) or Value(0.0, 0.0, 0.0), ips(sums) or Value(0.0, 0.0, 0.0)
    return Statistics(
        date(sums.at), sums.wr, sums.n, sums.w, window, sums.matched, sums.wwrr,
        (self_normalised.upper - self_normalised.lower) / 2, self_normalised.mean, plain.mean, (plain.upper - plain.lower) / 2,
    )  # fmt: skip
