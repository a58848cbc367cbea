"""Should the candidate be hosted? One function from held-out events and two distributions to a report. No input or output."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from rewardloop.evaluation.cressie_read import cressie_read
from rewardloop.evaluation.estimate import Estimate, effective_sample_size
from rewardloop.evaluation.estimators import ESTIMATORS
from rewardloop.evaluation.intervals import normal, standard_error
from rewardloop.evaluation.report import GateReport
from rewardloop.evaluation.reward_model import fit_predict
from rewardloop.evaluation.rules import CHECKS, MIN_EVENTS, Evidence, Rule, Verdict, enough_events
from rewardloop.evaluation.sample import Sample, sample, sum_by_event
from rewardloop.evaluation.screening import check_policy, screen
from rewardloop.evaluation.support import support
from rewardloop.interactions import Floats, Interactions
from rewardloop.settings import GateSettings


class _Rewards(NamedTuple):
    low: float
    high: float


class _Comparison(NamedTuple):
    candidate: dict[str, Estimate]
    hosted: dict[str, Estimate] | None
    logged: Estimate
    evidence: Evidence


def evaluate(  # noqa: PLR0917 - what is compared, then how
    interactions: Interactions,
    candidate: Floats,
    hosted: Floats | None,
    settings: GateSettings,
    reward_range: tuple[float, float] | None,
    seed: int,
) -> GateReport:
    """Compares two policies on held-out `interactions`, by the distributions (Σ K_i,) each would have *served*, floor included.

    `hosted` None: nothing is hosted yet, and the candidate is compared with what was logged. `reward_range` None: as seen.
    `seed` salts the folds of the reward model; the same input gives the same bits. Raises `InvalidInput` if a policy's numbers are
    no distribution; a faulty *log* is excluded row by row and counted.
    """
    check_policy("candidate", candidate, interactions)
    if hosted is not None:
        check_policy("hosted", hosted, interactions)
    usable, excluded = screen(interactions)
    if not usable.all():
        flat = np.repeat(usable, np.diff(interactions.offsets))
        interactions, candidate = interactions.take(usable), candidate[flat]
        hosted = None if hosted is None else hosted[flat]
    n = len(interactions)
    events = enough_events(n, settings.min_events if settings.rule == "strict" else MIN_EVENTS)
    seen = _compare(interactions, candidate, hosted, settings, reward_range=reward_range, seed=seed) if n > 1 else None
    checks = [check(seen.evidence, settings) for check in CHECKS[settings.rule]] if seen else []
    rules = (events, *checks)
    verdict = _verdict(rules, settings)
    return GateReport(
        verdict=verdict,
        summary=_summary(verdict, rules, seen, settings),
        rule=settings.rule,
        estimator=settings.estimator,
        rules=rules,
        n=n,
        excluded=excluded,
        candidate=seen.candidate if seen else {},
        hosted=seen.hosted if seen else None,
        logged=seen.logged if seen else None,
        difference=seen.evidence.difference if seen else None,
        support=seen.evidence.support if seen else None,
    )


def _compare(
    log: Interactions,
    candidate: Floats,
    hosted: Floats | None,
    settings: GateSettings,
    *,
    reward_range: tuple[float, float] | None,
    seed: int,
) -> _Comparison:
    rewards = _Rewards(*(reward_range or (float(log.reward.min()), float(log.reward.max()))))
    q = fit_predict(log, seed)
    of_candidate = sample(log, candidate, q)
    of_hosted = None if hosted is None else sample(log, hosted, q)
    estimator = ESTIMATORS[settings.estimator]
    difference = estimator(of_candidate) - (log.reward if of_hosted is None else estimator(of_hosted))
    evidence = Evidence(
        n=len(log),
        support=support(log, candidate),
        difference=normal(difference, settings.level, effective_sample_size(of_candidate.weight)),
        error=standard_error(difference),
        changed=None if hosted is None else float(sum_by_event(np.abs(candidate - hosted), log.offsets).mean() / 2),
        span=rewards.high - rewards.low,
    )
    return _Comparison(
        _estimates(of_candidate, settings.level, rewards),
        None if of_hosted is None else _estimates(of_hosted, settings.level, rewards),
        normal(log.reward, settings.level),
        evidence,
    )


def _estimates(events: Sample, level: float, rewards: _Rewards) -> dict[str, Estimate]:
    ess = effective_sample_size(events.weight)
    by_score = {name: normal(ESTIMATORS[name](events), level, ess) for name in ("ips", "dr")}
    return {**by_score, "cressie_read": cressie_read(events.weight, events.reward, level, _including(rewards, events.reward))}


def _including(rewards: _Rewards, seen: Floats) -> _Rewards:
    """The declared range, widened where the log holds rewards from before it was declared."""
    return _Rewards(min(rewards.low, float(seen.min())), max(rewards.high, float(seen.max())))


def _verdict(rules: Sequence[Rule], settings: GateSettings) -> Verdict:
    if settings.rule == "always":
        return "promote"
    return next((rule.otherwise for rule in rules if not rule.passed), "promote")


_OPENING: dict[Verdict, str] = {
    "promote": "Promote",
    "keep": "Keep what is hosted",
    "insufficient_support": "Insufficient support",
    "insufficient_data": "Insufficient data",
}


def _summary(verdict: Verdict, rules: Sequence[Rule], seen: _Comparison | None, settings: GateSettings) -> str:
    failed = next((rule for rule in rules if not rule.passed), None)
    if failed and verdict != "promote":
        return f"{_OPENING[verdict]}: {failed.sentence[0].lower()}{failed.sentence[1:]}"
    if seen is None:
        return "Promote: the settings ask for no evidence."
    found, same = seen.evidence.difference, seen.evidence.changed is not None and seen.evidence.changed <= 1e-3
    against = "what was logged" if seen.hosted is None else "the hosted policy"
    value = seen.candidate[settings.estimator].value
    return (
        f"Promote: the candidate is estimated to earn {value:.4g}, {found.value:+.4g} against {against} "
        f"({found.level:.0%} interval {found.lower:+.4g} to {found.upper:+.4g}, {found.n:,} held-out events)"
        + (": the same policy in effect." if same else ".")
    )
