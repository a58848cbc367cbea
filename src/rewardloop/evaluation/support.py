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
    clipped_weight: float
    """Mean of min(weight, 10): no single event can move it far."""
    clipped_weight_expected: float
    """What it should be, from the logged distributions; 1 for an event that has none."""
    clipped_weight_error: float
    """Standard error of `clipped_weight`: from the logged distributions where they are known, from the weights elsewhere."""
    possible_share: float
    """Share of the policy's choices that the log could have made: those with a logged probability above 0, where it is known."""
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
    logged_share, named_share = _by_name(interactions, pmf)
    clipped = np.minimum(weight, LARGEST_RATIO)
    expected, variance = _expected(interactions, pmf, clipped)
    known = _known(interactions)
    possible = sum_by_event(pmf * (interactions.pmf > 0), interactions.offsets)
    return Support(
        mean_weight=float(weight.mean()),
        clipped_weight=float(clipped.mean()),
        clipped_weight_expected=float(expected.mean()),
        clipped_weight_error=math.sqrt(float(variance.sum())) / len(weight),
        largest_weight=float(weight.max()),
        ess=effective_sample_size(weight),
        logged_share=logged_share,
        named_share=named_share,
        possible_share=float(np.where(known, possible, 1.0).mean()),
        overlap=float(np.where(known, expected, clipped).mean()),
        n_matched=int((pmf[interactions.chosen] >= 0.5 * np.maximum.reduceat(pmf, interactions.offsets[:-1])).sum()),
    )


def _expected(log: Interactions, pmf: Floats, clipped: Floats) -> tuple[Floats, Floats]:
    """Mean and variance of min(w, 10) of each event under the logged distribution; 1 and the squared deviation elsewhere."""
    known = _known(log)
    mean = sum_by_event(np.minimum(pmf, LARGEST_RATIO * log.pmf), log.offsets)
    ratio = np.divide(pmf, log.pmf, out=np.full_like(pmf, LARGEST_RATIO), where=log.pmf > 0)
    second = sum_by_event(log.pmf * np.square(np.minimum(ratio, LARGEST_RATIO)), log.offsets)
    variance = np.maximum(second - np.square(mean), 0.0)
    return np.where(known, mean, 1.0), np.where(known, variance, np.square(clipped - clipped.mean()))


def _known(log: Interactions) -> Mask:
    return ~np.isnan(sum_by_event(log.pmf, log.offsets))


def _by_name(log: Interactions, pmf: Floats) -> tuple[float, float]:
    number, n_actions = action_numbers(log.actions)
    wanted = np.bincount(number, pmf, n_actions)
    logged = np.bincount(number[log.chosen], minlength=n_actions)
    named = wanted >= _NOTICED
    # A handful of events may by chance hold none of an action that was offered its fair share of them.
    meant = np.bincount(number, np.nan_to_num(log.pmf), n_actions)
    told = ~named | (np.maximum(logged, meant) >= np.minimum(ENOUGH, wanted / LARGEST_RATIO))
    return float(wanted[told].sum() / wanted.sum()), float(wanted[named].sum() / wanted.sum())
