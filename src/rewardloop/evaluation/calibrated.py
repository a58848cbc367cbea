"""Doubly robust, with weights made to average 1 as they should: the estimator to look at first. It alone lives here."""

from __future__ import annotations

import numpy as np

from rewardloop.evaluation.estimate import effective_sample_size
from rewardloop.evaluation.sample import Sample
from rewardloop.interactions import Floats

_HEAVIER = 4.0
"""Where weights average below 1 a heavy event has not been seen yet. It may weigh so many times the heaviest one that was."""

_FEW = 7.0
"""With an effective sample size of so many, half of what the log says against the reward model is believed."""


def cdr(events: Sample) -> Floats:
    """Σ_a π(a)·q(a) + y − β·(w − 1), y = w·(r − q(chosen)), β = Cov(w, y)/Var(w): doubly robust, calibrated.

    Weights average 1 in expectation. Where those of the log do not, the residual is moved by what that explains of it: the weights
    are a control variate; or, the same, residuals are averaged under the Cressie–Read(−2) reweighting (Karampatziakis, Langford &
    Mineiro 2020, section 3). As there, the log is joined by one unseen event that pulls the mean weight towards 1 (weight 0 where
    weights are too large, heavy where too small), here with residual 0. Bias O(1/n). Plain DR where all weights are equal.

    Of that correction of the reward model a share (1 − ess/n)/(1 + (ess/7)²) is given up: where a handful of events carries
    all weight its variance is larger than the model's bias is likely to be. At an effective sample size of 70 the share is a
    hundredth. Only the mean is moved, all scores alike: their spread stays that of the whole correction.

    >>> w = np.array([0.0, 3.0, 0.0, 3.0])
    >>> cdr(Sample(weight=w, reward=np.ones(4), direct=np.full(4, 0.5), fitted=np.full(4, 0.5))).mean().round(2)
    np.float64(0.77)
    """
    w, y, n = events.weight, events.weight * (events.reward - events.fitted), len(events)
    unseen = _HEAVIER * float(w.max(initial=0.0)) if w.sum() < n else 0.0
    w_mean, y_mean = (float(w.sum()) + unseen) / (n + 1), float(y.sum()) / (n + 1)
    off = w - w_mean
    variance = (float(off @ off) + (unseen - w_mean) ** 2) / (n + 1)
    covariance = (float(off @ (y - y_mean)) - (unseen - w_mean) * y_mean) / (n + 1)
    slope = covariance / variance if w.max(initial=0.0) > w.min(initial=np.inf) else 0.0
    scores: Floats = events.direct + y - slope * (w - 1)
    scores += (slope * (float(w.mean()) - unseen) - float(y.mean())) / (n + 1) if slope else 0.0
    return scores - _given_up(w) * float((scores - events.direct).mean())


def _given_up(weight: Floats) -> float:
    """The share of the correction that weights as uneven as these are not worth."""
    ess = effective_sample_size(weight)
    return (1 - ess / max(len(weight), 1)) / (1 + (ess / _FEW) ** 2)
