"""Everything a reader wants to see beside the verdict, in one frozen value: page, picture and JSON are made from it alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from rewardloop.evaluation.documents.curves import convergence, weight_tail
from rewardloop.evaluation.estimate import Estimate
from rewardloop.evaluation.estimates import estimate_seen
from rewardloop.evaluation.estimators.estimators import ESTIMATORS
from rewardloop.evaluation.gate.gate import difference_interval
from rewardloop.evaluation.gate.report import GateReport
from rewardloop.evaluation.intervals import normal
from rewardloop.evaluation.sample import Sample, as_logged
from rewardloop.evaluation.seen import Seen
from rewardloop.evaluation.units import Units
from rewardloop.interactions import Floats
from rewardloop.settings import GateSettings

PolicyName = Literal["candidate", "hosted", "logged"]


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """What was compared, on what."""

    experiment: str
    candidate: str
    hosted: str | None
    """What the candidate was compared with; of one that is hosted already, what was before it. None: with what was logged."""
    dataset: str
    """Fingerprint of the data set."""
    watermark: int
    """Microseconds UTC: every event that closed until then is in it."""
    n_events: int
    """Of the data set."""
    n_held_out: int
    """Of those, held out of training and looked at here, before exclusions."""
    from_file: bool = False
    """Rows of another system: what the candidate learned from is not known here, nor always when they were decided."""


class EvaluationReport(msgspec.Struct, frozen=True, kw_only=True):
    """The gate's verdict and what it rests on, complete enough to be drawn. Every number is finite."""

    subject: Subject
    settings: GateSettings
    gate: GateReport
    estimates: dict[PolicyName, dict[str, Estimate]]
    """By policy and estimator; empty with fewer than two usable events, as is all that follows."""
    difference: Estimate | None
    """Candidate − hosted (− logged, where nothing is hosted), event by event."""
    convergence: dict[str, tuple[Estimate, ...]]
    """`candidate`, `hosted` or `logged`, and `difference`, each at growing n."""
    weights: dict[PolicyName, tuple[tuple[float, float], ...]]
    """(w, share of the events whose importance weight is at least w)."""

    @property
    def baseline(self) -> PolicyName:
        """What the candidate is compared with."""
        return "hosted" if self.subject.hosted else "logged"

    @property
    def estimator(self) -> str:
        """That of the curves and the difference, as set."""
        return self.settings.estimator

    def to_json(self) -> bytes:
        """`EvaluationReport.from_json` reads it again."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2)

    @classmethod
    def from_json(cls, text: str | bytes) -> EvaluationReport:
        return msgspec.json.decode(text, type=cls)


def full_report(
    subject: Subject, gate: GateReport, seen: Seen, settings: GateSettings, reward_range: tuple[float, float] | None
) -> EvaluationReport:
    """The report on a log that was looked at, `robust` too, through the eyes of `candidate` and (if any) `hosted`.

    `gate` is what `judge` said of the same; the verdict is its and is not found again here. Same input, same bits.
    """
    if len(seen) < 2:
        return EvaluationReport(
            subject=subject, settings=settings, gate=gate, estimates={}, difference=None, convergence={}, weights={}
        )
    names: list[PolicyName] = ["candidate", "hosted"] if "hosted" in seen.samples else ["candidate"]
    estimates = {name: estimate_seen(seen, name, settings.level, reward_range) for name in names}
    return EvaluationReport(
        subject=subject,
        settings=settings,
        gate=gate,
        estimates={**estimates, "logged": {"mean": normal(seen.units.scores(seen.reward), settings.level)}},
        difference=gate.difference,
        convergence=_curves(_with_baseline(seen), seen.units, settings),
        weights={name: weight_tail(seen.samples[name].weight) for name in names},
    )


def _with_baseline(seen: Seen) -> dict[str, Sample]:
    """Of the candidate, and of what it is compared with."""
    samples = dict(seen.samples)
    return samples if "hosted" in samples else {**samples, "logged": as_logged(seen.reward)}


def _curves(samples: Mapping[str, Sample], units: Units, settings: GateSettings) -> dict[str, tuple[Estimate, ...]]:
    def once(scores: Floats, ess: float) -> Estimate:
        return normal(scores, settings.level, ess)

    def as_gated(scores: Floats, ess: float) -> Estimate:
        return difference_interval(scores, settings, ess)

    estimator = ESTIMATORS[settings.estimator]
    scores = {name: units.scores(estimator(events)) for name, events in samples.items()}
    weights = {name: units.weights(events.weight) for name, events in samples.items()}
    baseline = next(of for name, of in scores.items() if name != "candidate")
    curves = {name: convergence(of, weights[name], once) for name, of in scores.items()}
    difference = convergence(scores["candidate"] - baseline, weights["candidate"], as_gated)
    return {**curves, "difference": difference}
