"""Everything a reader wants to see beside the verdict, in one frozen value: page, picture and JSON are made from it alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec
import numpy as np

from rewardloop.evaluation.estimate import Estimate
from rewardloop.evaluation.estimates import estimate_usable
from rewardloop.evaluation.estimators import ESTIMATORS
from rewardloop.evaluation.gate import difference_interval
from rewardloop.evaluation.intervals import normal
from rewardloop.evaluation.report import GateReport
from rewardloop.evaluation.report_curves import convergence, weight_tail
from rewardloop.evaluation.reward_model import fit_predict
from rewardloop.evaluation.sample import Sample, as_logged, sample
from rewardloop.evaluation.screening import screen
from rewardloop.interactions import Floats, Interactions
from rewardloop.settings import GateSettings

PolicyName = Literal["candidate", "hosted", "logged"]


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """What was compared, on what."""

    experiment: str
    candidate: str
    hosted: str | None
    """None: nothing was hosted, and the candidate was compared with what was logged."""
    dataset: str
    """Fingerprint of the data set."""
    watermark: int
    """Microseconds UTC: every event that closed until then is in it."""
    n_events: int
    """Of the data set."""
    n_held_out: int
    """Of those, held out of training and looked at here, before exclusions."""


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
    subject: Subject,
    gate: GateReport,
    interactions: Interactions,
    pmfs: Mapping[PolicyName, Floats],
    settings: GateSettings,
    *,
    reward_range: tuple[float, float] | None,
    seed: int,
) -> EvaluationReport:
    """The report on held-out `interactions`, from the distributions (Σ K_i,) that `candidate` and `hosted` (if any) would serve.

    `gate` is what `evaluate` said of the same input; the verdict is its and is not found again here. Same input, same bits.
    """
    usable, _ = screen(interactions)
    if usable.sum() < 2:
        return EvaluationReport(
            subject=subject, settings=settings, gate=gate, estimates={}, difference=None, convergence={}, weights={}
        )
    flat = np.repeat(usable, np.diff(interactions.offsets))
    log, pmfs = interactions.take(usable), {name: pmf[flat] for name, pmf in pmfs.items()}
    samples = _samples(log, pmfs, seed)
    estimates = {
        name: estimate_usable(log, pmf, samples[name], level=settings.level, reward_range=reward_range, seed=seed)
        for name, pmf in pmfs.items()
    }
    return EvaluationReport(
        subject=subject,
        settings=settings,
        gate=gate,
        estimates={**estimates, "logged": {"mean": normal(log.reward, settings.level)}},
        difference=gate.difference,
        convergence=_curves(samples, settings),
        weights={name: weight_tail(samples[name].weight) for name in pmfs},
    )


def _samples(log: Interactions, pmfs: Mapping[PolicyName, Floats], seed: int) -> dict[PolicyName, Sample]:
    """Of the candidate, and of what it is compared with."""
    q = fit_predict(log, seed)
    seen = {name: sample(log, pmf, q) for name, pmf in pmfs.items()}
    return seen if "hosted" in seen else {**seen, "logged": as_logged(log)}


def _curves(samples: Mapping[PolicyName, Sample], settings: GateSettings) -> dict[str, tuple[Estimate, ...]]:
    def once(scores: Floats, ess: float) -> Estimate:
        return normal(scores, settings.level, ess)

    def as_gated(scores: Floats, ess: float) -> Estimate:
        return difference_interval(scores, settings, ess)

    estimator = ESTIMATORS[settings.estimator]
    scores = {name: estimator(events) for name, events in samples.items()}
    baseline = next(of for name, of in scores.items() if name != "candidate")
    curves = {str(name): convergence(of, samples[name].weight, once) for name, of in scores.items()}
    difference = convergence(scores["candidate"] - baseline, samples["candidate"].weight, as_gated)
    return {**curves, "difference": difference}
