"""What K disjoint ridge regressions need to know of the past, and their posterior. No names, no words, no exploration.

Arm k has A = λI + Σ x xᵀ. Rewards are kept raw (Σ r x) beside Σ x, the first column of Σ x xᵀ since x begins with the
constant, so that b in units of any reward range is exact after the fact: b = (Σ r x − low Σ x) / width.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import sqrt
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from rewardloop.interactions import Floats, Ints
from rewardloop.policies.design.folding import Folding
from rewardloop.policies.products import product, row_product

PRIOR: Final = 1.0
"""λ"""
_REFRESH = 1_000
"""Rank-one updates of an inverse until it is computed afresh, lest rounding add up."""


class Moments:
    """Sums and posterior of K arms in d columns. θ and the inverses of A stand in one matrix: one product yields all of x."""

    def __init__(self, n_arms: int, width: int) -> None:
        self.gram = np.zeros((n_arms, width, width))
        """(K, d, d) Σ x xᵀ."""
        self.rewarded = np.zeros((n_arms, width))
        """(K, d) Σ r x."""
        self.n_updates = np.zeros(n_arms, dtype=np.int64)
        """(K,) rank-one updates since the inverse was computed afresh."""
        self._all = np.zeros((width, n_arms * width + n_arms))
        self.inverse = self._all[:, : n_arms * width].reshape(width, n_arms, width).swapaxes(0, 1)
        """(K, d, d) A⁻¹, a view: it is symmetric, so rows may stand for columns."""
        self.theta = self._all[:, n_arms * width :].T
        """(K, d), a view."""
        self.inverse[:] = np.eye(width) / PRIOR
        self._folded: tuple[Folding, Floats] | None = None
        self._unfolded: frozenset[int] = frozenset()
        """Arms that learned since."""

    @property
    def n_arms(self) -> int:
        return len(self.rewarded)

    @property
    def width(self) -> int:
        return self.rewarded.shape[1]

    def blank(self) -> Self:
        """As many arms and columns, nothing learned."""
        return type(self)(self.n_arms, self.width)

    def arrays(self) -> dict[str, npt.NDArray[np.generic]]:
        """All of it, by names for a file; writing into them changes it."""
        return {"gram": self.gram, "rewarded": self.rewarded, "inverse": self.inverse, "n_updates": self.n_updates}

    def expected(self, arms: Ints, X: Floats) -> Floats:
        """(n,) x·θ of one arm each."""
        means: Floats = np.einsum("nd,nd->n", X, self.theta[arms])
        return means

    def posterior(self, x: Floats, folding: Folding | None = None) -> tuple[list[float], list[float]]:
        """K means x·θ and standard deviations √(xᵀ A⁻¹ x) at x (d,), by less work where the form of x allows a `folding`."""
        if folding is None:
            y, z = row_product(x, self._all), x
        else:
            y, z = row_product(x, self._folded_by(folding)), x[folding.columns]
        k = len(self.rewarded)
        variance = y[:-k].reshape(k, -1).dot(z).tolist()
        # By number: for a handful of arms that costs less than two calls for all of them.
        return y[-k:].tolist(), [sqrt(v) if v > 0.0 else 0.0 for v in variance]

    def posterior_many(self, X: Floats, folding: Folding | None = None) -> tuple[Floats, Floats]:
        """`posterior` of n rows, as arrays: (n, K) each, from (n, d)."""
        Y = product(X, self._all if folding is None else self._folded_by(folding))
        Z = X if folding is None else X.take(folding.columns, axis=1)
        split = Y.shape[1] - self.n_arms
        variance = np.matmul(Y[:, :split].reshape(len(X), self.n_arms, -1), Z[:, :, None])[:, :, 0]
        return Y[:, split:], np.sqrt(np.maximum(variance, 0.0))

    def add(self, arm: int, x: Floats, reward: float) -> None:
        """One event; the inverse by Sherman & Morrison (1950)."""
        self.gram[arm] += x[:, None] * x
        self.rewarded[arm] += reward * x
        inverse = self.inverse[arm]
        gain = inverse.dot(x)
        inverse -= (gain / (1.0 + gain.dot(x)))[:, None] * gain
        self.n_updates[arm] += 1
        self._unfolded |= {arm}
        if self.n_updates[arm] >= _REFRESH:
            self._invert(arm)

    def add_many(self, arms: Ints, X: Floats, rewards: Floats) -> None:
        """Events in any number: an arm's few one by one, its many by one product and one inversion."""
        for arm in np.unique(arms).tolist():
            rows = np.flatnonzero(arms == arm)
            if len(rows) * 8 < self.width:
                for row in rows.tolist():
                    self.add(arm, X[row], float(rewards[row]))
            else:
                self.gram[arm] += X[rows].T @ X[rows]
                self.rewarded[arm] += rewards[rows] @ X[rows]
                self._invert(arm)

    def forget(self, share: float) -> None:
        """What was summed counts `share` as much from now on; the prior stays."""
        self.gram *= share
        self.rewarded *= share
        for arm in range(self.n_arms):
            self._invert(arm)

    def solve(self, arms: Ints, low: float, span: float) -> None:
        """θ = A⁻¹ b of the given arms, with rewards in units of [low, low + span]; each is one half where the span is 0."""
        moved = np.unique(arms).tolist()
        for arm in moved:
            total = self.gram[arm, 0]
            b = (self.rewarded[arm] - low * total) / span if span > 0 else 0.5 * total
            self.theta[arm] = self.inverse[arm].dot(b)
        self._unfolded |= {*moved}

    def resized(self, n_arms: int, width: int) -> Self:
        """The same with more arms, or more columns behind the others; they stand at the prior, for no event had them yet."""
        made = type(self)(n_arms, width)
        k, d = self.rewarded.shape
        made.gram[:k, :d, :d] = self.gram
        made.rewarded[:k, :d] = self.rewarded
        made.n_updates[:k] = self.n_updates
        made.inverse[:k, :d, :d] = self.inverse
        made.theta[:k, :d] = self.theta
        return made

    def _folded_by(self, folding: Folding) -> Floats:
        """(d, K·m + K) as `_all`, the inverses folded: made when first asked for, then followed arm by arm."""
        k, m, held = self.n_arms, len(folding.columns), self._folded
        behind: Iterable[int] = self._unfolded
        if held is None or held[0] is not folding:
            held, behind = (folding, np.empty((self.width, k * m + k))), range(k)
        for arm in behind:
            held[1][:, arm * m : (arm + 1) * m] = folding.fold(self.inverse[arm])
            held[1][:, k * m + arm] = self.theta[arm]
        if behind:  # Only now: whoever else decides meanwhile has made the same numbers.
            self._folded, self._unfolded = held, frozenset()
        return held[1]

    def _invert(self, arm: int) -> None:
        inverse = np.linalg.inv(self.gram[arm] + PRIOR * np.eye(self.width))
        self.inverse[arm] = (inverse + inverse.T) / 2
        self.n_updates[arm] = 0
        self._unfolded |= {arm}
