"""Doubly robust, with weights made to average 1 as they should: the estimator to look at first. It alone lives here."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from rewardloop.evaluation.estimate import effective_sample_size
from rewardloop.evaluation.sample import Sample
from rewardloop.interactions import Floats

_HEAVIER = 4.0
"""Where weights average below 1 a heavy event has not been seen yet. It may weigh so many times the heaviest one that was."""

_FEW = 25.0
"""With an effective sample size of so many, half of what events say against lighter ones is believed."""

_CAPS = (2.0, 10.0)
"""What a weight counts for at most in the estimates that heavier events have to speak against. Weights average 1."""

_DOUBT = 16.0
"""What heavier events say against lighter ones is believed by D²/(D² + 16·s²): half of it where it is four standard errors s."""


def cdr(events: Sample) -> Floats:
    """Σ_a π(a)·q(a) + y − β·(w − 1), y = w·(r − q(chosen)), β = Cov(w, y)/Var(w): doubly robust, calibrated; and doubted.

    Weights average 1 in expectation. Where those of the log do not, the residual is moved by what that explains of it: the weights
    are a control variate; or, the same, residuals are averaged under the Cressie–Read(−2) reweighting (Karampatziakis, Langford &
    Mineiro 2020, section 3). As there, the log is joined by one unseen event that pulls the mean weight towards 1 (weight 0 where
    weights are too large, heavy where too small), here with residual 0. Bias O(1/n). Plain DR where all weights are equal.

    Beside it stand estimates that no heavy event can move far: mean residuals under weights cut at 2, and at 10. From one to the
    next, and to the whole correction, of the difference D to what is believed so far a share D²/(D² + 16·s²) is kept, s its
    standard error: shrinkage towards what is well known (James & Stein 1961), which fades as evidence comes, O(1/n). Where a
    handful of events carries all weight s itself is not known: a further share (1 − ess/n)/(1 + (ess/25)²) is given up, of each.
    Only the mean is moved, all scores alike: their spread stays that of the whole correction.

    >>> w = np.array([0.0, 3.0, 0.0, 3.0])
    >>> cdr(Sample(weight=w, reward=np.ones(4), direct=np.full(4, 0.5), fitted=np.full(4, 0.5))).mean().round(2)
    np.float64(0.94)
    """
    whole = _calibrated(events)
    below, value = events.direct, float(events.direct.mean())
    for scores, weight in _steps(events, whole):
        difference, spread = float(scores.mean()) - value, float((scores - below).var()) / max(len(events), 1)
        value += difference * _known(weight) * (1.0 if below is events.direct else _believed(difference, spread))
        below = scores
    return whole + (value - float(whole.mean()))


def _calibrated(events: Sample) -> Floats:
    w, y, n = events.weight, events.weight * (events.reward - events.fitted), len(events)
    unseen = _HEAVIER * float(w.max(initial=0.0)) if w.sum() < n else 0.0
    w_mean, y_mean = (float(w.sum()) + unseen) / (n + 1), float(y.sum()) / (n + 1)
    off = w - w_mean
    variance = (float(off @ off) + (unseen - w_mean) ** 2) / (n + 1)
    covariance = (float(off @ (y - y_mean)) - (unseen - w_mean) * y_mean) / (n + 1)
    slope = covariance / variance if w.max(initial=0.0) > w.min(initial=np.inf) else 0.0
    scores: Floats = events.direct + y - slope * (w - 1)
    scores += (slope * (float(w.mean()) - unseen) - float(y.mean())) / (n + 1) if slope else 0.0
    return scores


def _steps(events: Sample, whole: Floats) -> Iterator[tuple[Floats, Floats]]:
    """Scores and the weights behind them, the lightest first; one at a time, since a log may have ten million events."""
    for cap in _CAPS:
        cut = np.minimum(events.weight, cap)
        yield _under(events, cut), cut
    yield whole, events.weight


def _under(events: Sample, cut: Floats) -> Floats:
    """The direct method, and the mean residual under these weights, self-normalised."""
    total = float(cut.sum())
    if total == 0.0:
        return events.direct
    residual = events.reward - events.fitted
    mean = float(cut @ residual) / total
    return np.asarray(events.direct + mean + cut * (residual - mean) * (len(cut) / total), dtype=np.float64)


def _believed(difference: float, variance: float) -> float:
    """The share of the difference that is more than chance is likely to have made."""
    square = difference * difference
    return square / (square + _DOUBT * variance) if square > 0.0 else 0.0


def _known(weight: Floats) -> float:
    """1 where weights are even, or of many events; towards 0 where a handful of events carries all of them."""
    ess = effective_sample_size(weight)
    return 1 - (1 - ess / max(len(weight), 1)) / (1 + (ess / _FEW) ** 2)
