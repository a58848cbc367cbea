"""Estimators that make large weights smaller and pay in bias. How much, they choose themselves, by the estimated squared error.

The choice is the simple one of Su et al. 2020, section 5: among a few strengths and none, the least variance/n + bias², the bias
being the mean of what was taken away. It needs no draw, and no order of events. A shrinking is a function of weights and strength.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from rewardloop.evaluation.sample import Sample
from rewardloop.interactions import Floats

Shrinking = Callable[[Floats, float], Floats]

_QUANTILES = (0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 0.999, 1.0)
"""Strengths that are tried are weights of the sample: so the scale of the weights does not matter."""


def clip(weight: Floats, largest: float) -> Floats:
    """min(w, λ)"""
    return np.minimum(weight, largest)


def switch(weight: Floats, largest: float) -> Floats:
    """w where w ≤ τ, and 0 elsewhere."""
    return np.where(weight <= largest, weight, 0.0)


def shrink(weight: Floats, largest: float) -> Floats:
    """λ·w/(w² + λ) with λ = τ²: w far below τ, half of it at τ, falling above."""
    square = largest * largest
    return np.asarray(weight * (square / (weight * weight + square)), dtype=np.float64)


def clipped_ips(events: Sample) -> Floats:
    """min(w, λ)·r (Ionides 2008; Strehl et al. 2010). Too low where rewards are positive."""
    return _tuned(clip, events.weight, events.reward, np.zeros(len(events)))


def switch_dr(events: Sample) -> Floats:
    """Σ_a π(a)·q(a) + 1{w ≤ τ}·w·(r − q(chosen)) (Wang, Agarwal & Dudík 2017, eq. 8): beyond τ it trusts the reward model."""
    return _tuned(switch, events.weight, events.reward - events.fitted, events.direct)


def dros(events: Sample) -> Floats:
    """Σ_a π(a)·q(a) + λw/(w² + λ)·(r − q(chosen)), DR with optimistic shrinkage (Su et al. 2020, eq. 7)."""
    return _tuned(shrink, events.weight, events.reward - events.fitted, events.direct)


def _tuned(shrinking: Shrinking, weight: Floats, target: Floats, base: Floats) -> Floats:
    """base + ŵ·target; the weakest shrinking of those that tie."""
    plain = weight * target
    best, least = base + plain, _error(base + plain, 0.0)
    for largest in _strengths(weight):
        kept = shrinking(weight, largest) * target
        scores = base + kept
        error = _error(scores, float(plain.mean() - kept.mean()))
        if error < least:
            best, least = scores, error
    return best


def _error(scores: Floats, bias: float) -> float:
    return float(scores.var()) / len(scores) + bias * bias


def _strengths(weight: Floats) -> list[float]:
    """Strongest last; weights of 0 are no strength."""
    quantiles = np.quantile(weight, _QUANTILES, method="higher")
    return [float(found) for found in np.unique(quantiles[quantiles > 0])[::-1]]
