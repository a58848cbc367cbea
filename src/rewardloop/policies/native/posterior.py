"""From each arm's posterior mean and standard deviation to a distribution over the arms. No features, no weights."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist
from typing import Protocol

import numpy as np

from rewardloop.interactions import Floats

N_DRAWS = 64
_QUANTILES = np.array([NormalDist().inv_cdf((i + 0.5) / N_DRAWS) for i in range(N_DRAWS)])
_REACH = float(_QUANTILES[-1])
_ONES = np.ones(N_DRAWS, dtype=np.float32)
_TIE = 1e-9
_CELLS = 1 << 16
"""Scores worked on at once: as many as a processor's cache holds."""


class Rule(Protocol):
    """`pmf` takes K means and standard deviations, `pmf_many` (n, K) of them; the rows of the second are the first."""

    def pmf(self, mean: Sequence[float], sd: Sequence[float]) -> Sequence[float]: ...

    def pmf_many(self, mean: Floats, sd: Floats) -> Floats: ...


class Thompson:
    """P(k) = share of M fixed draws mean + v·sd·z in which arm k is the best (Agrawal & Goyal, 2013, by Monte Carlo).

    The share itself is what is sampled from, so the logged probability is exact; M only sets its grain. Arm k's draws are
    the M mid-quantiles of N(0, 1) in an order that `seed` and k decide (stratified: McKay, Beckman & Conover, 1979), so an
    arm added later leaves the others' draws alone.

    >>> Thompson(v=0.1, seed=0, n_arms=2).pmf([0.5, 0.0], [1.0, 0.01])
    [1.0, 0.0]
    """

    def __init__(self, v: float, seed: int, n_arms: int) -> None:
        orders = [np.random.default_rng([seed, arm]).permutation(N_DRAWS) for arm in range(n_arms)]
        self._by_arm = np.ascontiguousarray(v * _QUANTILES[np.array(orders)])
        self._rows = list(self._by_arm)
        self._draws = self._by_arm.T
        self._reach = v * _REACH

    def pmf(self, mean: Sequence[float], sd: Sequence[float]) -> Sequence[float]:
        rivals = self._rivals(mean, sd)
        if len(rivals) > 2:
            winners = (self._draws * sd + mean).argmax(axis=1)
            return [n / N_DRAWS for n in np.bincount(winners, minlength=len(mean)).tolist()]
        # One decision of two has one rival, one of four two: most need not compare the draws of all arms, or any.
        pmf = [0.0] * len(mean)
        pmf[rivals[-1]] = 1.0
        if len(rivals) == 2:
            first, second = rivals
            pmf[first] = self._duel(first, second, mean, sd) / N_DRAWS
            pmf[second] = 1.0 - pmf[first]
        return pmf

    def _rivals(self, mean: Sequence[float], sd: Sequence[float]) -> list[int]:
        """The arms of which one draw at least reaches the lowest of the best one's; that one among them."""
        top, reach, rivals = max(mean), self._reach, []
        low = top - sd[mean.index(top)] * reach
        for arm, s in enumerate(sd):  # half of what a comprehension over pairs costs
            if mean[arm] + s * reach >= low:
                rivals.append(arm)
        return rivals

    def _duel(self, first: int, second: int, mean: Sequence[float], sd: Sequence[float]) -> int:
        """How many draws of the first arm are not below the second's."""
        ahead = self._rows[first] * sd[first]
        ahead -= self._rows[second] * sd[second]
        return int(np.count_nonzero(ahead >= mean[second] - mean[first]))

    def pmf_many(self, mean: Floats, sd: Floats) -> Floats:
        n, n_arms = mean.shape
        rows = np.arange(n)
        best = mean.argmax(axis=1)
        reach = sd * self._reach
        low = mean[rows, best] - reach[rows, best]
        others = mean + reach
        others[rows, best] = -np.inf
        pmf = np.zeros((n, n_arms))
        pmf[rows, best] = 1.0
        open_rows = np.flatnonzero(others.max(axis=1) >= low)
        step = max(1, _CELLS // self._draws.size)
        for start in range(0, len(open_rows), step):
            part = open_rows[start : start + step]
            pmf[part] = self._shares(mean[part], sd[part])
        return pmf

    def _shares(self, mean: Floats, sd: Floats) -> Floats:
        """(n, K). Arms outermost: the best of them is a maximum over contiguous blocks, and no winner's number is kept."""
        scores = self._by_arm[:, None, :] * sd.T[:, :, None]
        scores += mean.T[:, :, None]
        wins = scores >= scores.max(axis=0)
        shares: Floats = (wins.astype(np.float32).dot(_ONES) / np.float64(N_DRAWS)).T
        for row in np.flatnonzero(shares.sum(axis=1) != 1.0).tolist():  # equal scores: the first of them wins
            shares[row] = self.pmf(mean[row].tolist(), sd[row].tolist())
        return shares


class UpperConfidence:
    """All on the arm with the largest mean + a·sd, equal ones sharing it (LinUCB: Li, Chu, Langford & Schapire, 2010).

    >>> UpperConfidence(a=0.1).pmf([0.5, 0.5, 0.0], [0.2, 0.2, 1.0])
    [0.5, 0.5, 0.0]
    """

    def __init__(self, a: float) -> None:
        self._a = a

    def pmf(self, mean: Sequence[float], sd: Sequence[float]) -> Sequence[float]:
        scores = [m + self._a * s for m, s in zip(mean, sd, strict=True)]
        top = max(scores)
        bar = top - _TIE * (1.0 + abs(top))
        share = 1.0 / sum(score >= bar for score in scores)
        return [share if score >= bar else 0.0 for score in scores]

    def pmf_many(self, mean: Floats, sd: Floats) -> Floats:
        scores = mean + self._a * sd
        top = scores.max(axis=1, keepdims=True)
        best = scores >= top - _TIE * (1.0 + np.abs(top))
        shares: Floats = best / best.sum(axis=1, keepdims=True)
        return shares
