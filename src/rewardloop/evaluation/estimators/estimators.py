"""Off-policy estimators of the mean reward, each one line of algebra over a `Sample`. Intervals and reward models live elsewhere.

Every estimator returns one score an event; the estimate is the mean of the scores and its interval comes from their spread.
Two policies seen on the same events are compared by the difference of their scores, event by event.

| | bias | spread |
|---|---|---|
| `ips` | none where the log has support | grows with the largest weight |
| `snips` | O(1/n) | bounded by the rewards seen |
| `dm` | the reward model's | smallest |
| `dr` | none where the log has support or the model is right | of the residuals times the weights |
| `sndr` | O(1/n) | as dr, with the weights normalised |
| `cdr` | O(1/n) | as dr, less what weights off their mean explain; in `calibrated` |
| `clipped_ips`, `switch_dr`, `dros` | traded for spread | largest weights cut, dropped, shrunk; in `shrinking` |
| `mrdr` | as dr | as dr with the reward model fit where it matters; in `estimates`, since it needs a model of its own |
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

import numpy as np

from rewardloop.evaluation.estimators.calibrated import cdr
from rewardloop.evaluation.estimators.shrinking import clipped_ips, dros, switch_dr
from rewardloop.evaluation.sample import Sample
from rewardloop.interactions import Floats


class Estimator(Protocol):
    """Scores (n,) whose mean estimates E[reward] under the target policy. Its laws are tested by `EstimatorContract`.

    Laws
    - One finite score an event, in the order of the events; the same sample gives the same bits.
    - Reordering events reorders the scores.
    - Scaling the rewards and the reward model by a > 0 scales the estimate by a.
    - Where it is `shift_equivariant`: adding c to both adds c, so a constant reward is estimated as that constant.
    - Where it is `exact_on_policy`: the logging policy, on its own log with a constant reward model, gets the mean logged reward.
    - With support and the true reward model it is unbiased, or its bias is O(1/n).
    """

    def __call__(self, events: Sample) -> Floats: ...


def ips(events: Sample) -> Floats:
    """w·r, inverse propensity scores (Horvitz & Thompson 1952). Unbiased; explodes with the weights.

    >>> one = np.ones(2)
    >>> ips(Sample(weight=np.array([2.0, 0.0]), reward=one, direct=one, fitted=one)).mean()
    np.float64(1.0)
    """
    return events.weight * events.reward


def snips(events: Sample) -> Floats:
    """v + w·(r − v)/w̄ with v = Σwr/Σw, self-normalised (Swaminathan & Joachims 2015, eq. 8), linearised by the delta method.

    NaN where no event has any weight: nothing was observed of this policy.
    """
    return _normalised(events.weight, events.reward)


def dm(events: Sample) -> Floats:
    """Σ_a π(a)·q(a), the direct method: as good as the reward model, and its interval does not know how bad that is."""
    return events.direct


def dr(events: Sample) -> Floats:
    """Σ_a π(a)·q(a) + w·(r − q(chosen)), doubly robust (Dudík et al. 2014, eq. 7); `q` must not have seen the event (cross-fit)."""
    return events.direct + events.weight * (events.reward - events.fitted)


def sndr(events: Sample) -> Floats:
    """The direct method plus the self-normalised residual; NaN where no event has any weight."""
    return events.direct + _normalised(events.weight, events.reward - events.fitted)


def _normalised(weight: Floats, target: Floats) -> Floats:
    total = weight.sum()
    if total == 0.0:
        return np.full(len(weight), np.nan)
    value = (weight @ target) / total
    scores: Floats = value + weight * (target - value) * (len(weight) / total)
    return scores


ESTIMATORS: Mapping[str, Estimator] = MappingProxyType(
    {
        "ips": ips,
        "snips": snips,
        "clipped_ips": clipped_ips,
        "dm": dm,
        "dr": dr,
        "sndr": sndr,
        "cdr": cdr,
        "switch_dr": switch_dr,
        "dros": dros,
    }
)
"""By the name that settings and reports use."""
