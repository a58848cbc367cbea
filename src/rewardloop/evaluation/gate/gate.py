"""Should the candidate be hosted? One function from held-out events and two distributions to a report. No input or output."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rewardloop.evaluation.estimate import Estimate, effective_sample_size
from rewardloop.evaluation.estimates import by_estimator, including
from rewardloop.evaluation.estimators.estimators import ESTIMATORS
from rewardloop.evaluation.gate.guardrails import guard
from rewardloop.evaluation.gate.report import GateReport
from rewardloop.evaluation.gate.rules import BOX_CHECKS, CHECKS, MIN_EVENTS, Evidence, Rule, Verdict, enough_events
from rewardloop.evaluation.intervals import normal, standard_error
from rewardloop.evaluation.seen import Seen, Serve, look
from rewardloop.evaluation.sequences import asymptotic
from rewardloop.interactions import Floats, Interactions
from rewardloop.settings import GateSettings

REPORTED = ("ips", "dr", "cdr", "cressie_read")
NARROWEST = 4
"""The sequence is narrowest at this many times `min_events`: 1.55 times an interval for one look there, 1.7 at `min_events`."""


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
    policies: dict[str, Serve] = {"candidate": lambda _: candidate}
    if hosted is not None:
        policies["hosted"] = lambda _: hosted
    return judge(look(lambda: iter([interactions]), policies, seed), settings, reward_range)


def judge(seen: Seen, settings: GateSettings, reward_range: tuple[float, float] | None, *, serving: bool = False) -> GateReport:
    """The same of a log that was looked at, through the eyes of `candidate` and (or not) `hosted`.

    `serving`: the candidate is hosted already, and `hosted` is what was before it.
    """
    n = len(seen)
    events = enough_events(n, settings.min_events if settings.rule == "strict" else MIN_EVENTS, len(seen.units))
    found = _compare(seen, settings, reward_range) if n > 1 else None
    checks = [check(found.evidence, settings) for check in (BOX_CHECKS if seen.box else CHECKS)[settings.rule]] if found else []
    rules = (events, *checks, *(guard(seen, settings) if found else ()))
    verdict = _verdict(rules, settings)
    return GateReport(
        verdict=verdict,
        summary=_summary(verdict, rules, found, settings, serving),
        rule=settings.rule,
        estimator=settings.estimator,
        rules=rules,
        n=n,
        excluded=seen.excluded,
        candidate=found.candidate if found else {},
        hosted=found.hosted if found else None,
        logged=found.logged if found else None,
        difference=found.evidence.difference if found else None,
        support=seen.support,
        serving=serving,
    )


def _compare(seen: Seen, settings: GateSettings, reward_range: tuple[float, float] | None) -> _Comparison:
    assert seen.support is not None
    units = seen.units
    of_candidate, of_hosted = seen.samples["candidate"], seen.samples.get("hosted")
    low, high = reward_range or including(None, seen.reward)
    by_candidate = by_estimator(of_candidate, settings.level, reward_range, REPORTED, units)
    by_hosted = None if of_hosted is None else by_estimator(of_hosted, settings.level, reward_range, REPORTED, units)
    logged = normal(units.scores(seen.reward), settings.level)
    score = ESTIMATORS[settings.estimator]
    difference = units.scores(score(of_candidate) - (seen.reward if of_hosted is None else score(of_hosted)))
    evidence = Evidence(
        n=len(units),
        support=seen.support,
        difference=difference_interval(difference, settings, effective_sample_size(units.weights(of_candidate.weight))),
        error=standard_error(difference),
        changed=seen.changed,
        at_least=by_candidate["cressie_read"].lower,
        hosted=logged.value if by_hosted is None else by_hosted[settings.estimator].value,
        span=high - low,
    )
    return _Comparison(by_candidate, by_hosted, logged, evidence)


def difference_interval(difference: Floats, settings: GateSettings, ess: float) -> Estimate:
    """Of paired scores (n,), as the settings want it: for one look, or for any number of them."""
    if settings.sequential:
        return asymptotic(difference, settings.level, NARROWEST * settings.min_events, ess)
    return normal(difference, settings.level, ess)


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
_OF_SERVING: dict[Verdict, str] = {
    **_OPENING,
    "promote": "Hosted, and would be promoted again",
    "keep": "Hosted, and would not be promoted again",
}


def _summary(verdict: Verdict, rules: Sequence[Rule], seen: _Comparison | None, settings: GateSettings, serving: bool) -> str:
    failed = next((rule for rule in rules if not rule.passed), None)
    opening = (_OF_SERVING if serving else _OPENING)[verdict]
    if failed and verdict != "promote":
        return f"{opening}: {failed.sentence[0].lower()}{failed.sentence[1:]}"
    if seen is None:
        return f"{opening}: the settings ask for no evidence."
    found, same = seen.evidence.difference, seen.evidence.changed is not None and seen.evidence.changed <= 1e-3
    other = "what was hosted before" if serving else "the hosted policy"
    against = "what was logged" if seen.hosted is None else other
    value = seen.candidate[settings.estimator].value
    interval = "sequence" if settings.sequential else "interval"
    return (
        f"{opening}: the candidate is estimated to earn {value:.4g}, {found.value:+.4g} against {against} "
        f"({found.level:.0%} {interval} {found.lower:+.4g} to {found.upper:+.4g}, {found.n:,} held-out events)"
        + (": the same policy in effect." if same else ".")
    )
