"""An A/B test between two policies on live traffic: who earns more, known at every look. Numbers in, a verdict out."""

from __future__ import annotations

import math
from typing import Literal

import msgspec
import numpy as np

from rewardloop.evaluation.estimate import Estimate
from rewardloop.evaluation.randomised.harm import LEAST, Randomised, effect, enough
from rewardloop.evaluation.sequences import asymptotic_of_moments
from rewardloop.interactions import Floats

POINTS = 40
"""Of the curve."""
MOST = 1_000_000_000
"""Decisions: a test that would need more is said to need that many."""

Winner = Literal["a", "b", "undecided", "too few"]


class ABTest(msgspec.Struct, frozen=True, kw_only=True):
    """How a test stands. Every interval is of a confidence sequence: it may be looked at at any time, and the test ended by it."""

    a: str
    b: str
    """Model ids; the same one twice is an A/A test."""
    share: float
    """Of decisions that B makes."""
    level: float
    n_a: int
    n_b: int
    """Closed decisions whose turn it was."""
    reward_a: Estimate | None
    reward_b: Estimate | None
    difference: Estimate | None
    """B − A; None while either made fewer than 100."""
    winner: Winner
    n_needed: int | None
    """Decisions in all by which a difference as large as the one seen would be shown, where it is not shown yet."""
    summary: str
    curve: tuple[Estimate, ...]
    """The difference after growing numbers of decisions."""


def ab_test(  # noqa: PLR0917 - who, on what, how sure
    a: str, b: str, seen: Randomised, share: float, level: float, target: int
) -> ABTest:
    """`seen`: the decisions of the test, B's turns `challenged`. The sequence is narrowest at `target` decisions: fix it first."""
    found = effect(seen, level, target) if enough(seen) else None
    winner: Winner = "too few" if found is None else "b" if found.lower > 0 else "a" if found.upper < 0 else "undecided"
    needed = n_to_show(found, target) if found is not None and winner == "undecided" else None
    n_b = int(seen.challenged.sum())
    return ABTest(
        a=a,
        b=b,
        share=share,
        level=level,
        n_a=len(seen.reward) - n_b,
        n_b=n_b,
        reward_a=_mean(seen.reward[~seen.challenged], level, target),
        reward_b=_mean(seen.reward[seen.challenged], level, target),
        difference=found,
        winner=winner,
        n_needed=needed,
        summary=_summary(a, b, winner, found, needed),
        curve=tuple(_curve(seen, level, target)),
    )


def n_to_show(found: Estimate, target: int) -> int | None:
    """Observations in all until the sequence, as noisy as so far, no longer holds 0 if the difference is the one found.

    >>> n_to_show(Estimate(0.1, -0.1, 0.3, 0.95, 400, 400.0), 1000)
    1521
    """
    errors = asymptotic_of_moments(0.0, 1.0, found.n, found.level, target).upper * math.sqrt(found.n)
    variance = ((found.upper - found.value) * math.sqrt(found.n) / errors) ** 2
    low, high = found.n, MOST
    if not asymptotic_of_moments(0.0, variance, high, found.level, target).upper < abs(found.value):
        return None
    while high - low > 1:
        n = (low + high) // 2
        shown = asymptotic_of_moments(0.0, variance, n, found.level, target).upper < abs(found.value)
        low, high = (low, n) if shown else (n, high)
    return high


def _mean(reward: Floats, level: float, target: int) -> Estimate | None:
    if len(reward) < LEAST:
        return None
    return asymptotic_of_moments(float(reward.mean()), float(reward.var(ddof=1)), len(reward), level, target)


def _curve(seen: Randomised, level: float, target: int) -> list[Estimate]:
    n = len(seen.reward)
    ends = np.unique(np.linspace(0, n, POINTS + 1).astype(np.int64)[1:])
    prefixes = [_first(seen, int(end)) for end in ends]
    return [msgspec.structs.replace(effect(each, level, target), n=len(each.reward)) for each in prefixes if enough(each)]


def _first(seen: Randomised, n: int) -> Randomised:
    return Randomised(seen.reward[:n], seen.challenged[:n], seen.share[:n], None if seen.key is None else seen.key[:n])


def _summary(a: str, b: str, winner: Winner, found: Estimate | None, needed: int | None) -> str:
    if found is None:
        return f"Too few: each needs {LEAST} closed decisions before anything can be said."
    size = f"{found.value:+.4g} ({found.level:.0%} sequence {found.lower:+.4g} to {found.upper:+.4g})"
    if winner == "undecided":
        until = f"if that is what it is, about {needed:,} decisions in all show it" if needed else "too small to ever be shown"
        same = " As it should be: both are the same model." if a == b else ""
        return f"Undecided: the difference B − A is {size}; {until}.{same}"
    if a == b:
        return (
            f"Something is wrong: both are {a}, and B − A is {size}. By chance that happens in {1 - found.level:.0%} of A/A tests."
        )
    name, less = (b, a) if winner == "b" else (a, b)
    return f"Decided: {winner.upper()} ({name}) earns more than {less}: B − A is {size}. Stop the test."
