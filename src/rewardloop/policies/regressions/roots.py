"""One ridge regression that learns event by event: sums are not kept, but a root of the covariance and the weights themselves.

The first `room` columns are joint: θ ~ N(θ, S Sᵀ), S Sᵀ = (I + Σ x xᵀ)⁻¹, by Potter's square root filter (Bierman, 1977, section
V.2), exactly ridge regression's posterior where there are no others. Columns behind them stand `apart`: a weight and a variance
each, as if all weights were independent. So a column more costs O(1) an event, not O(d); what it explains the joint ones need not.
Weights are linear in rewards, and kept for the rewards as they are and for rewards of 1: in any unit they are exact after the fact.
"""

from __future__ import annotations

from math import sqrt
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from rewardloop.interactions import Floats, Ints
from rewardloop.policies.products import product, row_product
from rewardloop.policies.regressions.moments import Moments

_PENDING: Final = 32
"""Changes of the root that are kept as vectors before they are subtracted, by one product of matrices."""
_BLOCK: Final = 128
"""Events learned at once, where as many as are pending at most come together."""


class Roots:
    """Weights θ (d,) and what is known of them. One arm: what `Memory` says of arms is (n,) zeros here.

    >>> one = Roots(width=2, room=1)
    >>> one.add_many(np.zeros(3, np.int64), np.array([[1.0, 0.0], [1.0, 1.0], [1.0, 0.0]]), np.array([0.0, 1.0, 0.0]))
    >>> one.solve(np.zeros(1, np.int64), low=0.0, span=1.0); one.theta.round(2).tolist()
    [0.14, 0.4]
    """

    n_arms: Final = 1

    def __init__(self, width: int, room: int, apart: float = 1.0) -> None:
        self.room, self.apart = room, apart
        """How many columns may be joint, and how wide the prior of the others is."""
        joint = min(width, room)
        self.root = np.eye(joint)
        """(j, j) S, but for what is pending."""
        self.gains, self.sides = np.zeros((_PENDING, joint)), np.zeros((_PENDING, joint))
        """(32, j) rows gᵢ and vᵢ: S is `root` − Σ gᵢ vᵢᵀ."""
        self.n_pending = np.zeros(1, np.int64)
        self.variance = np.full(width - joint, apart)
        """(d − j,) of each column apart."""
        self.learned = np.zeros((2, width))
        """(2, d) θ by the rewards as they are, and by rewards of 1."""
        self.theta = np.zeros(width)
        """(d,) in the unit that was solved for last."""
        self._spread: tuple[Floats, Floats] | None = None

    @classmethod
    def of(cls, moments: Moments, room: int) -> Self:
        """What the sums of one arm tell, all of their columns joint."""
        made = cls(moments.width, room)
        made.root[:] = np.linalg.cholesky(moments.inverse[0])
        made.learned[:] = np.stack([moments.rewarded[0], moments.gram[0, 0]]) @ moments.inverse[0]
        return made

    @property
    def width(self) -> int:
        """d"""
        return len(self.theta)

    @property
    def joint(self) -> int:
        """j, of d."""
        return len(self.root)

    @property
    def sound(self) -> bool:
        """Whether what was read can be true."""
        return 0 <= self.n_pending[0] < _PENDING and bool((self.variance > 0.0).all())

    def blank(self) -> Self:
        """The same columns, nothing learned."""
        return type(self)(self.width, self.room, self.apart)

    def resized(self, n_arms: int, width: int) -> Self:
        """The same with more columns behind the others, at the prior, for no event had them yet."""
        made, j, pending = type(self)(width, self.room, self.apart), self.joint, slice(int(self.n_pending[0]))
        made.root[:j, :j] = self.root
        made.gains[pending, :j], made.sides[pending, :j] = self.gains[pending], self.sides[pending]
        made.n_pending[:] = self.n_pending
        made.variance[: len(self.variance)] = self.variance
        made.learned[:, : self.width] = self.learned
        made.theta[: self.width] = self.theta
        return made

    def arrays(self) -> dict[str, npt.NDArray[np.generic]]:
        """All of it, by names for a file; writing into them changes it."""
        pending = {"gains": self.gains, "sides": self.sides, "n_pending": self.n_pending}
        return {"root": self.root, **pending, "variance": self.variance, "learned": self.learned}

    def expected(self, arms: Ints, X: Floats) -> Floats:
        """(n,) x·θ."""
        means: Floats = X.dot(self.theta)
        return means

    def add_many(self, arms: Ints, X: Floats, rewards: Floats) -> None:
        """In the order given: many by products of matrices, a few one by one."""
        if self.joint == self.width and 4 * len(X) >= self.width:
            self._add_all(X, rewards)
            return
        for start in range(0, len(X), _BLOCK):
            part = slice(start, start + _BLOCK)
            if len(X[part]) >= _PENDING:
                self._add_block(X[part], rewards[part])
                continue
            for x, reward in zip(X[part], rewards[part].tolist(), strict=True):
                self._add(x, reward)

    def solve(self, arms: Ints, low: float, span: float) -> None:
        """θ with rewards in units of [low, low + span]; each is one half where the span is 0."""
        rewarded, ones = self.learned
        self.theta = (rewarded - low * ones) / span if span > 0 else 0.5 * ones

    def forget(self, share: float) -> None:
        """What was learned counts `share` as much from now on; the prior stays."""
        j, eye = self.joint, np.eye(self.joint)
        S = self.whole_root()
        known = np.linalg.inv(S @ S.T)
        kept = share * known + (1.0 - share) * eye
        self.learned[:, :j] = np.linalg.solve(kept, share * known @ self.learned[:, :j].T).T
        self.root = np.linalg.cholesky(np.linalg.inv(kept))
        self.n_pending[:] = 0
        apart = 1.0 / (share / self.variance + (1.0 - share) / self.apart)
        self.learned[:, j:] *= share * apart / self.variance
        self.variance = apart
        self._spread = None

    def whole_root(self) -> Floats:
        """(j, j) S."""
        pending = slice(int(self.n_pending[0]))
        return self.root - product(self.gains[pending].T, self.sides[pending])

    def spread(self, normal: Floats) -> Floats:
        """(j, m) S zᵀ of the first j columns of `normal` (m, j + …): what N(0, 1) becomes. Quick again for the same `normal`."""
        Z, held = normal[:, : self.joint].T, self._spread
        if held is None or held[0] is not normal:
            held = self._spread = normal, product(self.root, Z)
        pending = slice(int(self.n_pending[0]))
        return held[1] - product(self.gains[pending].T, product(self.sides[pending], Z))

    def _add(self, row: Floats, reward: float) -> None:
        n, x, apart = int(self.n_pending[0]), row[: self.joint], row[self.joint :]
        gains, sides, gain = self.gains[:n], self.sides[:n], np.empty(self.width)
        v = row_product(x, self.root) - gains.dot(x).dot(sides)
        joint, own = gain[: self.joint], gain[self.joint :]
        np.subtract(row_product(v, self.root.T), sides.dot(v).dot(gains), out=joint)
        np.multiply(self.variance, apart, out=own)
        spread, noise = float(v.dot(v)), 1.0 + float(own.dot(apart))
        total = noise + spread
        rewarded, ones = ((np.array([reward, 1.0]) - self.learned.dot(row)) / total).tolist()
        self.learned[0] += rewarded * gain
        self.learned[1] += ones * gain
        self.variance -= own * own / total
        # (1 − √(noise / total)) / spread, without the difference of two numbers that are nearly one.
        self.gains[n] = joint / (total + sqrt(noise * total))
        self.sides[n] = v
        self.n_pending[0] = n + 1
        if n + 1 == _PENDING:
            self.root = self.whole_root()
            self.n_pending[0] = 0
            self._spread = None

    def _add_all(self, X: Floats, rewards: Floats) -> None:
        """Events in any number where all columns are joint: by the inverse of the covariance, to which they add."""
        known = np.linalg.inv(self.whole_root())
        half = np.linalg.inv(np.linalg.cholesky(known.T @ known + X.T @ X))
        told = X.T @ (np.column_stack([rewards, np.ones(len(X))]) - X @ self.learned.T)
        self.learned += (half.T @ (half @ told)).T
        self.root = np.ascontiguousarray(half.T)
        self.n_pending[:] = 0
        self._spread = None

    def _add_block(self, X: Floats, rewards: Floats) -> None:
        """n events at once: y ~ N(X θ, T), T = I + X S Sᵀ Xᵀ + U diag(variance) Uᵀ for the columns U apart."""
        j, S, U = self.joint, self.whole_root(), X[:, self.joint :]
        V, W = product(X[:, :j], S), U * self.variance
        T = np.eye(len(X)) + product(V, V.T) + product(W, U.T)
        half = np.linalg.inv(np.linalg.cholesky(T))
        H = half @ V
        told = half.T @ (half @ (np.column_stack([rewards, np.ones(len(X))]) - X @ self.learned.T))
        self.learned[:, :j] += (S @ (V.T @ told)).T
        self.learned[:, j:] += (W.T @ told).T
        self.root = product(S, np.asarray(np.linalg.cholesky(np.eye(j) - product(H.T, H)), np.float64))
        self.variance -= np.square(half @ W).sum(axis=0)
        self.n_pending[:] = 0
        self._spread = None
