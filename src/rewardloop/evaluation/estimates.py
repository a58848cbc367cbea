"""One policy on one log by every estimator there is, each with its interval: for reports. No rule and no verdict lives here."""

from __future__ import annotations

import math
from collections.abc import Collection

import msgspec
from scipy.special import ndtri

from rewardloop.errors import InvalidInput
from rewardloop.evaluation.estimate import Estimate, effective_sample_size
from rewardloop.evaluation.estimators.cressie_read import cressie_read
from rewardloop.evaluation.estimators.estimators import ESTIMATORS
from rewardloop.evaluation.intervals import normal
from rewardloop.evaluation.sample import Sample
from rewardloop.evaluation.seen import Seen, look
from rewardloop.evaluation.units import Units
from rewardloop.interactions import Floats, Interactions

CDR, CRESSIE_READ, MRDR = "cdr", "cressie_read", "mrdr"
ALL = (*ESTIMATORS, CRESSIE_READ)


def estimate_all(
    interactions: Interactions, pmf: Floats, *, level: float, reward_range: tuple[float, float] | None, seed: int
) -> dict[str, Estimate]:
    """The mean reward of a policy with distribution `pmf` (Σ K_i,), by the name of the estimator.

    Events that cannot be used are left out, as the gate does (`screen` counts them by reason). An estimator for which the events
    say nothing (no weight at all) is left out too. `reward_range` None: as seen. The same input and `seed` give the same bits.
    Raises `InvalidInput` where `pmf` is no distribution or fewer than two events can be used.
    """
    seen = look(lambda: iter([interactions]), {"pmf": lambda _: pmf}, seed, robust=True)
    if len(seen) < 2:
        raise InvalidInput(f"Expected at least two usable events, got {len(seen)}", at="interactions")
    return estimate_seen(seen, "pmf", level, reward_range)


def estimate_seen(seen: Seen, name: str, level: float, reward_range: tuple[float, float] | None) -> dict[str, Estimate]:
    """The same of one policy of a log that was looked at."""
    events = seen.samples[name]
    found, units = by_estimator(events, level, reward_range, units=seen.units), seen.units
    if not seen.robust:
        return found
    return {**found, MRDR: normal(units.scores(seen.robust[name]), level, effective_sample_size(units.weights(events.weight)))}


def by_estimator(
    events: Sample,
    level: float,
    reward_range: tuple[float, float] | None,
    names: Collection[str] = ALL,
    units: Units | None = None,
) -> dict[str, Estimate]:
    """By those of the estimators that need no more than a `Sample`; intervals are normal, but of `cressie_read`, whose own (by
    empirical likelihood) covers where a few events carry most of the weight, and of `cdr`, which has the better of both.

    `units` says which events belong together, None: each is its own. Values do not change by it (that of `cressie_read` barely)."""
    units = units or Units(len(events))
    weight, seen = units.weights(events.weight), including(reward_range, events.reward)
    ess = effective_sample_size(weight)
    found = {name: normal(units.scores(ESTIMATORS[name](events)), level, ess) for name in names if name in ESTIMATORS}
    if CRESSIE_READ in names or CDR in names:
        likely = cressie_read(weight, units.rewards(events.weight, events.reward), level, seen)
        if CDR in names:
            found[CDR] = _guarded(found[CDR], likely, weight, seen)
        if CRESSIE_READ in names:
            found[CRESSIE_READ] = likely
    return {name: estimate for name, estimate in found.items() if math.isfinite(estimate.value)}


def _guarded(found: Estimate, likely: Estimate, weight: Floats, reward_range: tuple[float, float]) -> Estimate:
    """The normal interval, wider on both sides by what may not have been seen, where that earns the least or the most there is.

    Unseen is, by the rule of three, a share −log(1 − level)/ess of what the policy does; and what weights lack of their mean of 1
    by more than chance explains. Never wider than the interval by empirical likelihood, which covers however uneven weights are.
    """
    half = (found.upper - found.value) + _unseen(weight, found.level, found.ess) * (reward_range[1] - reward_range[0])
    lower, upper = max(found.value - half, likely.lower), min(found.value + half, likely.upper)
    return msgspec.structs.replace(found, lower=min(lower, found.value), upper=max(upper, found.value))


def _unseen(weight: Floats, level: float, ess: float) -> float:
    """An upper bound, about, of the share of the policy's choices that no event of the log tells of."""
    chance = float(ndtri((1 + level) / 2)) * float(weight.std()) / math.sqrt(len(weight))
    lacking = max(0.0, 1.0 - float(weight.mean()) - chance)
    return min(1.0, -math.log1p(-level) / max(ess, 1.0) + lacking)


def including(reward_range: tuple[float, float] | None, seen: Floats) -> tuple[float, float]:
    """The declared range, widened where the log holds rewards from before it was declared; what was seen where none is."""
    low, high = float(seen.min()), float(seen.max())
    return (low, high) if reward_range is None else (min(reward_range[0], low), max(reward_range[1], high))
