"""What an evaluation says: a value that never travels without its interval, n and effective sample size."""

from __future__ import annotations

import msgspec
import numpy as np

from rewardloop.interactions import Floats


class Estimate(msgspec.Struct, frozen=True):
    """A mean reward (or a difference of two), in units of reward."""

    value: float
    lower: float
    upper: float
    level: float
    """Nominal coverage of [lower, upper], two-sided."""
    n: int
    """Events it was computed on; a decision over several slots is one."""
    ess: float
    """How many events drawn from the target policy itself would tell as much; n where nothing was reweighted."""

    def __str__(self) -> str:
        interval = f"{100 * self.level:g} % interval {self.lower:.4g} to {self.upper:.4g}"
        return f"{self.value:.4g} ({interval}, n {self.n:,}, ess {self.ess:,.1f})"


def effective_sample_size(weight: Floats) -> float:
    """(Σ w)² / Σ w² (Kish 1965): n where all weights are equal, 1 where one event carries everything, 0 without any weight.

    >>> effective_sample_size(np.array([1.0, 1.0, 1.0, 1.0])), effective_sample_size(np.array([9.0, 0.0]))
    (4.0, 1.0)
    """
    peak = float(weight.max(initial=0.0))
    if peak == 0.0:
        return 0.0
    scaled = weight / peak
    return float(scaled.sum() ** 2 / np.square(scaled).sum())
