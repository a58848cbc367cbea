"""Is there signal in a log? What uniform, the best fixed arm and a fitted policy would have earned, on the log's own events.

Nothing is judged on what it was chosen with: the fitted policy is greedy on predictions of models that have not seen the event's
fold, and the best fixed arm of a fold is the best of the other folds.
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

import msgspec
import numpy as np

from rewardloop.errors import InvalidInput
from rewardloop.evaluation.arms import action_numbers
from rewardloop.evaluation.estimate import Estimate, effective_sample_size
from rewardloop.evaluation.estimators.estimators import dr
from rewardloop.evaluation.folds import N_FOLDS, folds
from rewardloop.evaluation.intervals import normal
from rewardloop.evaluation.planning.power import detectable, spread
from rewardloop.evaluation.reward_models.reward_model import fit_predict
from rewardloop.evaluation.sample import sample
from rewardloop.evaluation.units import units_of
from rewardloop.interactions import Floats, Interactions, Ints

MAX_EVENTS = 20_000
"""The newest that are looked at: more narrow the intervals, and fitting costs time."""
CLAIM = 0.99
"""Level at which signal is claimed. Policies fitted to overlapping folds are not independent: where there is no signal, the 95 %
interval of their gain misses 0 twice as often as it says (measured: above it in 5.7 % of 1,000 logs instead of 2.5 %)."""
MIN_ESS = 30.0
"""With a smaller effective sample size a normal interval of the fitted policy promises too much."""


class Learnability(msgspec.Struct, frozen=True, kw_only=True):
    """What a log says is to be gained. Estimates are doubly robust, on the same events."""

    learnable: bool
    """The lower bound of fitted − best fixed arm is above 0, at `CLAIM`, and the fitted policy has support."""
    sentence: str
    best_arm: str
    """The fixed arm chosen in most folds."""
    logged: Estimate
    uniform: Estimate
    best_fixed: Estimate
    fitted: Estimate
    over_best_fixed: Estimate
    """fitted − best fixed arm, paired."""
    over_logged: Estimate
    """fitted − what was logged, paired."""
    detectable: float
    """The smallest fitted − best fixed arm seen with 80 % power on so many events."""
    n: int
    n_older: int
    """Events not looked at."""


class Scores(NamedTuple):
    """DR scores each, one a decision, of policies on the same events: their means are estimates, their differences are paired."""

    logged: Floats
    uniform: Floats
    best_fixed: Floats
    fitted: Floats
    ess: tuple[float, float, float, float]
    best_arm: str


def learnability(usable: Interactions, level: float = 0.95, seed: int = 0, newest: int = MAX_EVENTS) -> Learnability:
    """Whether a policy that looks at contexts beats the best fixed arm. `usable`: screened, oldest first, at least 2 events."""
    events = usable.take(np.arange(max(0, len(usable) - newest), len(usable)))
    scores = policy_scores(events, seed)
    uniform, best, fitted = (normal(column, level, ess) for column, ess in zip(scores[1:4], scores.ess[1:], strict=True))
    over_best = normal(scores.fitted - scores.best_fixed, level, scores.ess[3])
    claimed = normal(scores.fitted - scores.best_fixed, max(level, CLAIM))
    learnable = claimed.lower > 0 and scores.ess[3] >= MIN_ESS
    smallest = detectable(spread(scores.fitted - scores.best_fixed), len(scores.logged), level=claimed.level)
    return Learnability(
        learnable=learnable,
        sentence=_sentence(over_best, scores.best_arm, smallest, learnable),
        best_arm=scores.best_arm,
        logged=normal(scores.logged, level),
        uniform=uniform,
        best_fixed=best,
        fitted=fitted,
        over_best_fixed=over_best,
        over_logged=normal(scores.fitted - scores.logged, level, scores.ess[3]),
        detectable=smallest,
        n=len(events),
        n_older=len(usable) - len(events),
    )


def policy_scores(events: Interactions, seed: int = 0) -> Scores:
    """The scores that `learnability` averages. Time: that of the reward model. Raises `InvalidInput` for fewer than 2 events."""
    if len(events) < 2:
        raise InvalidInput(f"Expected at least 2 usable events, got {len(events)}", at="log")
    q = fit_predict(events, seed)
    sizes = np.diff(events.offsets)
    best, arm = _best_fixed(events, q, folds(events.event_ids, seed, min(N_FOLDS, len(events))))
    policies = [sample(events, pmf, q) for pmf in (np.repeat(1 / sizes, sizes), best, _greedy(q, events.offsets))]
    units = units_of(events.event_ids)
    uniform, fixed, fitted = (units.scores(dr(policy)) for policy in policies)
    ess = (effective_sample_size(units.weights(policy.weight)) for policy in policies)
    return Scores(units.scores(events.reward), uniform, fixed, fitted, (float(len(units)), *ess), arm)  # type: ignore[arg-type]


def _greedy(q: Floats, offsets: Ints) -> Floats:
    """(Σ K_i,) all on the largest q of each event, shared by ties."""
    sizes = np.diff(offsets)
    top = (q == np.repeat(np.maximum.reduceat(q, offsets[:-1]), sizes)).astype(np.float64)
    return np.asarray(top / np.repeat(np.add.reduceat(top, offsets[:-1]), sizes), dtype=np.float64)


def _best_fixed(events: Interactions, q: Floats, fold: Ints) -> tuple[Floats, str]:
    """(Σ K_i,) in each fold all on the arm that earned most in the others, uniform where it is not on offer; the usual arm."""
    number, numbers = action_numbers(events.actions)
    n_arms = len(numbers)
    sizes = np.diff(events.offsets)
    flat_fold = np.repeat(fold, sizes)
    value = q.copy()
    value[events.chosen] += (events.reward - q[events.chosen]) / events.probability
    uniform = np.add.reduceat(value, events.offsets[:-1]) / sizes
    n_folds = int(fold.max()) + 1
    cells = number * n_folds + flat_fold
    gained = np.bincount(cells, value - np.repeat(uniform, sizes), n_arms * n_folds).reshape(n_arms, n_folds)
    best = np.argmax(gained.sum(axis=1, keepdims=True) - gained, axis=0)
    pmf = (number == best[flat_fold]).astype(np.float64)
    missing = np.repeat(np.add.reduceat(pmf, events.offsets[:-1]) == 0, sizes)
    names = list(numbers)
    return np.where(missing, np.repeat(1 / sizes, sizes), pmf), names[Counter(best.tolist()).most_common(1)[0][0]]


def _sentence(over_best: Estimate, arm: str, smallest: float, learnable: bool) -> str:
    told = f"{over_best.value:+.4g}, {over_best.level:.0%} interval {over_best.lower:+.4g} to {over_best.upper:+.4g}"
    if learnable:
        return f"There is signal: a fitted policy earns more than always `{arm}` ({told})."
    if smallest == 0.0:
        return f"The fitted policy is always `{arm}`: the context makes no difference to it."
    if over_best.lower > 0 and over_best.ess >= MIN_ESS:
        return f"Perhaps: a fitted policy seems to earn more than always `{arm}` ({told}), but not surely enough, at {CLAIM:.0%}."
    if over_best.ess < MIN_ESS:
        return f"The log does not tell: the fitted policy does what was hardly ever logged (effective sample {over_best.ess:,.0f})."
    return (
        f"No signal seen: a fitted policy does not beat always `{arm}` ({told}); "
        f"{over_best.n:,} events show a gain of {smallest:.2g} or more."
    )
