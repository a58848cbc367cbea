"""The Cressie–Read(−2) empirical likelihood estimate and its interval: closed form, a few passes. No scores, hence apart.

Among all reweightings of the sample (plus one unseen event of weight `fake`) under which the importance weights average to 1, it
takes those within a likelihood-ratio ball and reports the reward's extremes (Karampatziakis, Langford & Mineiro 2020, "Empirical
Likelihood for Contextual Bandits"). Its interval held at least 98 % where normal intervals of IPS and DR held 40 to 90.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy.special import fdtri

from rewardloop.errors import InvalidInput
from rewardloop.evaluation.estimate import Estimate, effective_sample_size
from rewardloop.interactions import Floats


class _Tilt(NamedTuple):
    """The sample with one unseen event of weight `fake` and reward `least`; moments of w and of y = w·r over the n + 1."""

    w: float
    """Mean weight."""
    variance: float
    y: float
    residual: float
    """Variance of y that w does not explain."""
    slope: float
    """Cov(w, y) / Var(w)."""

    @property
    def distance(self) -> float:
        """Squared distance to the nearest reweighting under which the weights average to 1."""
        return (1 - self.w) ** 2 / self.variance


def cressie_read(
    weight: Floats,
    reward: Floats,
    level: float,
    reward_range: tuple[float, float],
    weight_range: tuple[float, float] = (0.0, math.inf),
) -> Estimate:
    """The estimate of a policy with importance weights (n,), of rewards that can lie anywhere in `reward_range`.

    `weight_range` is what weights could have been, not what they were: below 1 and above 1. Raises `InvalidInput` otherwise.

    >>> w, r = np.array([0.0, 2.0, 0.0, 2.0]), np.array([0.0, 1.0, 1.0, 0.0])
    >>> cressie_read(w, r, 0.95, (0.0, 1.0)).value
    0.5
    """
    low, high = _widened(weight, weight_range)
    if len(weight) == 0 or not low < 1 < high:
        raise InvalidInput(
            f"Expected events with weights that may lie on both sides of 1, got {len(weight)} in [{low:g}, {high:g}]"
        )
    nearest = high if weight.sum() < len(weight) else low
    value = _value(weight, reward, nearest)
    budget = _distance(weight, nearest) + float(fdtri(1, len(weight), level)) / (len(weight) + 1)
    lower = _bound(weight, reward, (low, high), reward_range[0], budget)
    upper = -_bound(weight, -reward, (low, high), -reward_range[1], budget)
    lower, upper = (min(max(bound, reward_range[0]), reward_range[1]) for bound in (lower, upper))
    return Estimate(value, lower, upper, level, len(weight), effective_sample_size(weight))


def _widened(weight: Floats, weight_range: tuple[float, float]) -> tuple[float, float]:
    return min(weight_range[0], float(weight.min(initial=1.0))), max(weight_range[1], float(weight.max(initial=1.0)))


def _value(weight: Floats, reward: Floats, fake: float) -> float:
    """Σ p·w·r under the nearest reweighting p; the mass the unseen event takes is valued at the mean reward."""
    n = len(weight)
    p = np.full(n, 1 / n) if math.isinf(fake) else _nearest(weight, fake)
    mass = p * weight
    return float(mass @ reward + max(0.0, 1.0 - mass.sum()) * reward.mean())


def _nearest(weight: Floats, fake: float) -> Floats:
    n = len(weight)
    mean = (weight.sum() + fake) / (n + 1)
    variance = (weight @ weight + fake * fake) / (n + 1) - mean * mean
    p: Floats = (1 + (1 - mean) / variance * (weight - mean)) / (n + 1)
    return p


def _distance(weight: Floats, fake: float) -> float:
    n = len(weight)
    return 1 / n if math.isinf(fake) else _tilt(weight, weight, fake, 0.0).distance


def _bound(weight: Floats, reward: Floats, fakes: tuple[float, float], least: float, budget: float) -> float:
    """The least over what the unseen event may weigh; `least` where no weight makes the sample average to 1 within the budget."""
    bound = min(_least(weight, reward, fake, least, budget) for fake in fakes)
    return least if math.isinf(bound) else bound


def _least(weight: Floats, reward: Floats, fake: float, least: float, budget: float) -> float:
    """The smallest mean reward among reweightings within `budget` of the sample; infinite where there is none."""
    if math.isinf(fake):
        return _least_unbounded(weight, reward, least, budget)
    tilt = _tilt(weight, reward, fake, least)
    if tilt.variance == 0:
        return math.inf
    spare = budget - tilt.distance
    centre = tilt.y + (1 - tilt.w) * tilt.slope
    return centre - math.sqrt(spare * tilt.residual) if spare >= 0 else math.inf


def _least_unbounded(weight: Floats, reward: Floats, least: float, budget: float) -> float:
    """The limit of `_least` as the unseen event's weight grows without bound."""
    n = len(weight)
    above = weight * (reward - least)
    spare = budget - 1 / n
    residual = max(0.0, float(above @ above) / (n + 1) - float(above.sum()) ** 2 / (n * (n + 1)))
    return least + float(above.sum()) / n - math.sqrt(spare * residual) if spare >= 0 else math.inf


def _tilt(weight: Floats, reward: Floats, fake: float, least: float) -> _Tilt:
    n = len(weight)
    w = np.append(weight, fake)
    y = np.append(weight * reward, fake * least)
    w_mean, y_mean = float(w.sum()) / (n + 1), float(y.sum()) / (n + 1)
    w_off, y_off = w - w_mean, y - y_mean
    variance = float(w_off @ w_off) / (n + 1)
    covariance = float(w_off @ y_off) / (n + 1)
    slope = covariance / variance if variance > 0 else 0.0
    residual = max(0.0, float(y_off @ y_off) / (n + 1) - slope * covariance)
    return _Tilt(w_mean, variance, y_mean, residual, slope)
