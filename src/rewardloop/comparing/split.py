"""The A/B(/n) test: an even split until the test is over, then the winner for everybody."""

from __future__ import annotations

from typing import NamedTuple

import msgspec
import numpy as np
from scipy.special import ndtri

from rewardloop.interactions import Floats, Ints


class SplitDesign(msgspec.Struct, frozen=True, kw_only=True):
    """How the test is run. `level` is of the whole test: it is shared among comparisons and looks (Bonferroni)."""

    share: float = 0.5
    """Of the visitors, at most, that are split evenly."""
    looks: int = 10
    """Evenly spaced; the test ends at the first that is significant. 1: a fixed horizon."""
    level: float = 0.95

    def bar(self, n_arms: int) -> float:
        """The z that a leader's lead over each other arm must pass, two-sided."""
        return float(-ndtri((1 - self.level) / 2 / ((n_arms - 1) * self.looks)))


class SplitTest(NamedTuple):
    """What one test did."""

    choice: Ints
    """(n,) the arm each visitor was shown."""
    winner: int
    ended_after: int
    """Visitors that were split."""
    significant: bool
    """Whether the winner beat every other arm in the test; else it led when the split ended."""


def ab_test(outcomes: Floats, design: SplitDesign, generator: np.random.Generator) -> SplitTest:
    """Split `outcomes` (n, K), look, roll out. Equal leaders are told apart by lot.

    Two-proportion z-tests of the leader against each other arm, two-sided, at (1 − level)/((K − 1)·looks): among equal arms a
    winner is declared with probability ≤ 1 − level (to the normal approximation).
    """
    n, n_arms = len(outcomes), outcomes.shape[1]
    arm = generator.integers(n_arms, size=n)
    lot = generator.permutation(n_arms)
    shown = outcomes[np.arange(n), arm]
    bar = design.bar(n_arms)
    horizon = max(1, round(n * design.share))
    for look in range(1, design.looks + 1):
        end = horizon * look // design.looks
        split = arm[:end]
        trials = np.bincount(split, minlength=n_arms).astype(np.float64)
        successes = np.bincount(split, weights=shown[:end], minlength=n_arms).astype(np.float64)
        winner = int(np.lexsort((lot, successes / np.maximum(trials, 1)))[-1])
        significant = bool(_z(successes, trials, winner).min() > bar)
        if significant:
            break
    return SplitTest(np.concatenate([split, np.full(n - end, winner)]), winner, end, significant)


def _z(successes: Floats, trials: Floats, winner: int) -> Floats:
    """(K − 1,) z of the winner's rate over each other one, pooled variance; 0 where there is nothing to compare."""
    others = np.arange(len(trials)) != winner
    s, n, top, top_n = successes[others], trials[others], successes[[winner]], trials[[winner]]
    with np.errstate(divide="ignore", invalid="ignore"):
        pooled = (s + top) / (n + top_n)
        z: Floats = (top / top_n - s / n) / np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / top_n))
    return np.where(np.isfinite(z), z, 0.0)
