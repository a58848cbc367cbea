"""How much of what a policy would do did the log do too? Without that, no estimator knows anything about it."""

from __future__ import annotations

import math

import msgspec
import numpy as np

from rewardloop.evaluation.arms import action_numbers
from rewardloop.evaluation.estimate import effective_sample_size
from rewardloop.evaluation.sample import sum_by_event
from rewardloop.evaluation.screening import Mask
from rewardloop.interactions import Floats, Interactions

LARGEST_RATIO = 10.0
"""One logged choice vouches for at most this many choices of the policy."""
ENOUGH = 10
"""An action logged this often is judged by the interval, however much the policy favours it."""
_NOTICED = 5.0
"""Actions that the policy would choose fewer times than this are not judged one by one (ids that come and go)."""


class Support(msgspec.Struct, frozen=True, kw_only=True):
    """Overlap of one policy with one log."""

    mean_weight: float
    """1 in expectation, if the logged probabilities are right and everything the policy does could have been logged."""
    mean_weight_error: float
    """Standard error of `mean_weight`: from the logged distributions where they are known, from the weights elsewhere."""
    largest_weight: float
    ess: float
    logged_share: float
    """Share of the policy's choices that fall on actions the log chose often enough to tell, or too rare to be judged by name."""
    named_share: float
    """Share that falls on actions frequent enough to be judged by name; small where ids come and go."""
    overlap: float
    """Share of the policy's choices that the log made at least a tenth as often: Σ_a min(π, 10·p), averaged."""
    n_matched: int
    """Events on which the log took an action that the policy favours: at least half as probable as its most probable one."""


def support(interactions: Interactions, pmf: Floats) -> Support:
    """The overlap of a policy's `pmf` (Σ K_i,) with at least one event."""
    weight = pmf[interactions.chosen] / interactions.probability
    covered, second = _moments(interactions, pmf, weight)
    logged_share, named_share = _by_name(interactions, pmf)
    variance = np.maximum(second - np.square(covered), 0.0)
    return Support(
        mean_weight=float(weight.mean()),
        mean_weight_error=math.sqrt(float(variance.sum())) / len(weight),
        largest_weight=float(weight.max()),
        ess=effective_sample_size(weight),
        logged_share=logged_share,
        named_share=named_share,
        overlap=float(_overlap(interactions, pmf, weight).mean()),
        n_matched=int((pmf[interactions.chosen] >= 0.5 * np.maximum.reduceat(pmf, interactions.offsets[:-1])).sum()),
    )


def _moments(log: Interactions, pmf: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """E[w] and E[w²] of each event under the logged distribution; 1 and w² where the log holds none."""
    possible = log.pmf > 0
    ratio = np.divide(pmf, log.pmf, out=np.zeros_like(pmf), where=possible)
    covered, second = sum_by_event(pmf * possible, log.offsets), sum_by_event(pmf * ratio, log.offsets)
    known = _known(log)
    return np.where(known, covered, 1.0), np.where(known, second, np.square(weight))


def _overlap(log: Interactions, pmf: Floats, weight: Floats) -> Floats:
    exact = sum_by_event(np.minimum(pmf, LARGEST_RATIO * log.pmf), log.offsets)
    return np.where(_known(log), exact, np.minimum(weight, LARGEST_RATIO))


def _known(log: Interactions) -> Mask:
    return ~np.isnan(sum_by_event(log.pmf, log.offsets))


def _by_name(log: Interactions, pmf: Floats) -> tuple[float, float]:
    number, n_actions = action_numbers(log.actions)
    wanted = np.bincount(number, pmf, n_actions)
    logged = np.bincount(number[log.chosen], minlength=n_actions)
    named = wanted >= _NOTICED
    told = ~named | (logged >= np.minimum(ENOUGH, wanted / LARGEST_RATIO))
    return float(wanted[told].sum() / wanted.sum()), float(wanted[named].sum() / wanted.sum())
