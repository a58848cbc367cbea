"""How much of what a policy would do did the log do too? Without that, no estimator knows anything about it."""

from __future__ import annotations

import math

import msgspec
import numpy as np

from rewardloop.evaluation.arms import action_numbers
from rewardloop.evaluation.estimate import effective_sample_size
from rewardloop.evaluation.sample import sum_by_event
from rewardloop.evaluation.units import Units
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
    tally = SupportTally()
    tally.add(interactions, pmf)
    return tally.result(pmf[interactions.chosen] / interactions.probability)


class SupportTally:
    """Support counted a batch of events at a time: sums, and three numbers an action id. The result is that of all at once."""

    def __init__(self) -> None:
        self._sums = np.zeros(9)
        self._numbers: dict[str, int] = {}
        self._by_name: Floats = np.zeros((3, 0))
        """Of each action id: how often the policy would take it, the log took it, and the log meant to."""

    def add(self, log: Interactions, pmf: Floats) -> None:
        """Count a batch; an empty one counts nothing."""
        if not len(log):
            return
        clipped = np.minimum(pmf[log.chosen] / log.probability, LARGEST_RATIO)
        known = ~np.isnan(sum_by_event(log.pmf, log.offsets))
        expected, variance = _expected(log, pmf)
        possible = sum_by_event(pmf * (log.pmf > 0), log.offsets)
        unknown = clipped[~known]
        favourite = pmf[log.chosen] >= 0.5 * np.maximum.reduceat(pmf, log.offsets[:-1])
        self._sums += (
            len(log),
            np.where(known, expected, 1.0).sum(),
            variance[known].sum(),
            np.where(known, possible, 1.0).sum(),
            np.where(known, expected, clipped).sum(),
            favourite.sum(),
            len(unknown),
            unknown.sum(),
            np.square(unknown).sum(),
        )
        self._count_names(log, pmf)

    def _count_names(self, log: Interactions, pmf: Floats) -> None:
        number, _ = action_numbers(log.actions, self._numbers)
        n_actions = len(self._numbers)
        found: Floats = np.stack(
            [
                np.bincount(number, pmf, n_actions),
                np.bincount(number[log.chosen], minlength=n_actions).astype(np.float64),
                np.bincount(number, np.nan_to_num(log.pmf), n_actions),
            ]
        )
        found[:, : self._by_name.shape[1]] += self._by_name
        self._by_name = found

    def result(self, weight: Floats, units: Units | None = None) -> Support:
        """Of all events counted, at least one, with their importance weights (n,); what they tell is counted by `units`."""
        n, expected, variance, possible, overlap, matched, *unknown = self._sums.tolist()
        clipped = np.minimum(weight, LARGEST_RATIO)
        mean = float(clipped.mean())
        n_unknown, total, squares = unknown
        spread = max(0.0, squares - 2 * mean * total + n_unknown * mean * mean)
        logged_share, named_share = self._shares()
        return Support(
            mean_weight=float(weight.mean()),
            clipped_weight=mean,
            clipped_weight_expected=expected / n,
            clipped_weight_error=math.sqrt(variance + spread) / n,
            largest_weight=float(weight.max()),
            ess=effective_sample_size(units.weights(weight) if units else weight),
            logged_share=logged_share,
            named_share=named_share,
            possible_share=possible / n,
            overlap=overlap / n,
            n_matched=int(matched),
        )

    def _shares(self) -> tuple[float, float]:
        wanted, logged, meant = self._by_name
        named = wanted >= _NOTICED
        # A handful of events may by chance hold none of an action that was offered its fair share of them.
        told = ~named | (np.maximum(logged, meant) >= np.minimum(ENOUGH, wanted / LARGEST_RATIO))
        return float(wanted[told].sum() / wanted.sum()), float(wanted[named].sum() / wanted.sum())


def _expected(log: Interactions, pmf: Floats) -> tuple[Floats, Floats]:
    """Mean and variance of min(w, 10) of each event under the logged distribution; NaN or nonsense where there is none."""
    mean = sum_by_event(np.minimum(pmf, LARGEST_RATIO * log.pmf), log.offsets)
    ratio = np.divide(pmf, log.pmf, out=np.full_like(pmf, LARGEST_RATIO), where=log.pmf > 0)
    second = sum_by_event(log.pmf * np.square(np.minimum(ratio, LARGEST_RATIO)), log.offsets)
    return mean, np.maximum(second - np.square(mean), 0.0)
