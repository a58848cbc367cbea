"""What a policy would do to a metric that rewards carry besides: its mean over the events that carry it, by the logged weights.

Self-normalised importance weighting, no model of the metric. Whether an event carries it may depend on the action, so its mean
is E[w·m·told] / E[w·told], and what is compared are two such ratios on the same events, by their influence functions.
"""

from __future__ import annotations

import numpy as np

from rewardloop.evaluation.estimate import Estimate, effective_sample_size
from rewardloop.evaluation.gate.rules import MIN_EVENTS, Measured, Rule, guardrail
from rewardloop.evaluation.intervals import normal
from rewardloop.evaluation.seen import Seen
from rewardloop.evaluation.sequences import asymptotic
from rewardloop.evaluation.units import Units
from rewardloop.interactions import Floats
from rewardloop.settings import GateSettings

NARROWEST = 4
"""See `gate`."""


def guard(seen: Seen, settings: GateSettings) -> tuple[Rule, ...]:
    """One rule a guardrail of the settings, in their order."""
    least = settings.min_events if settings.rule == "strict" else MIN_EVENTS
    return tuple(guardrail(rail, measure(seen, rail.metric, settings), least) for rail in settings.guardrails)


def measure(seen: Seen, metric: str, settings: GateSettings) -> Measured:
    """`candidate` against `hosted` (without one, against what was logged) on the events that carry the metric."""
    column = seen.metrics.get(metric, np.full(len(seen), np.nan))
    told = np.isfinite(column)
    value, units = column[told], seen.units.taken(told)
    n = len(units)
    if n < 2 or not seen.samples:
        return Measured(n, float("nan"), None)
    ours = seen.samples["candidate"].weight[told]
    theirs = seen.samples["hosted"].weight[told] if "hosted" in seen.samples else np.ones(len(value))
    if not ours.any() or not theirs.any():
        return Measured(n, float("nan"), None)
    hosted, difference = _compared(value, ours, theirs, units, settings)
    return Measured(n, hosted, difference)


def _compared(value: Floats, ours: Floats, theirs: Floats, units: Units, settings: GateSettings) -> tuple[float, Estimate]:
    candidate, hosted = _mean(value, ours), _mean(value, theirs)
    influence = ours * (value - candidate) / ours.mean() - theirs * (value - hosted) / theirs.mean()
    scores, ess = units.scores(candidate - hosted + influence), effective_sample_size(units.weights(ours))
    if settings.sequential:
        return hosted, asymptotic(scores, settings.level, NARROWEST * settings.min_events, ess)
    return hosted, normal(scores, settings.level, ess)


def _mean(value: Floats, weight: Floats) -> float:
    return float((value * weight).sum() / weight.sum())
