"""Does a challenger do harm? Always-valid tests of it against the champion, on decisions whose variant was drawn at random.

Each may be asked after every decision, for as long as one likes. A test finds harm, or has not found any: it never proves that
there is none.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
from scipy.special import betainc, betaln

from rewardloop.evaluation.estimate import Estimate
from rewardloop.evaluation.sequences import asymptotic_of_moments
from rewardloop.interactions import Floats, Ints

Mask = npt.NDArray[np.bool_]

LEAST = 100
"""Decisions of each variant before a mean is looked at: before that it is not about normal."""
LEAST_KEYS = 50
"""The same for keys, where a key's decisions are alike."""


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One test, as it stands."""

    name: str
    harmed: bool
    number: float
    """Challenger − champion, or what was counted; NaN while too little is known."""
    lower: float
    upper: float
    limit: float
    n: int
    """The challenger's decisions."""
    sentence: str


class Randomised(NamedTuple):
    """n decisions in the order they were made, (n,) each."""

    reward: Floats
    challenged: Mask
    """It was the challenger's turn."""
    share: Floats
    """With which probability it was."""
    key: Ints | None = None
    """What the variant followed, where it was not the event itself: decisions of one key count as one observation."""


def effect(seen: Randomised, level: float, target: int) -> Estimate:
    """Mean reward under the challenger − under the champion, by an asymptotic confidence sequence.

    z_i = (r_i − m_i)·(A_i/p_i − (1 − A_i)/(1 − p_i)), m_i the mean of the rewards before: an augmented inverse propensity score of
    a randomised experiment (Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas 2024, section 3). Shares p_i may change over time and
    rewards drift: each z_i is unbiased for the moment's own difference. With keys, the variance is that of their sums.
    Narrowest at `target` decisions.
    """
    reward, n = seen.reward, len(seen.reward)
    before = np.append(reward[:1], (np.cumsum(reward) / np.arange(1, n + 1))[:-1])
    scores = (reward - before) * np.where(seen.challenged, 1 / seen.share, -1 / (1 - seen.share))
    off = scores - scores.mean()
    sums = off if seen.key is None else np.bincount(np.unique(seen.key, return_inverse=True)[1], off)
    keys = len(sums)
    variance = float(np.square(sums).sum()) * keys**2 / (n**2 * max(keys - 1, 1))
    return asymptotic_of_moments(float(scores.mean()), variance, keys, level, max(round(target * keys / n), 1))


def reward_check(seen: Randomised, level: float, target: int, limit: float) -> Check:
    """Harm: the challenger's reward is lower by more than `limit`, at the level."""
    n = int(seen.challenged.sum())
    if not enough(seen):
        return _unknown("reward", -limit, n)
    return _reward(effect(seen, level, target), limit, n, "Reward")


def estimate_check(found: Estimate | None, limit: float) -> Check:
    """The same of an off-policy estimate of the difference, where the challenger served nothing."""
    n = found.n if found else 0
    return _reward(found, limit, n, "Estimated reward") if found and n >= LEAST else _unknown("reward", -limit, n)


def enough(seen: Randomised) -> bool:
    """Whether each variant made enough decisions, by enough keys, for its mean to be about normal."""
    n = int(seen.challenged.sum())
    if min(n, len(seen.reward) - n) < LEAST:
        return False
    if seen.key is None:
        return True
    return min(len(np.unique(seen.key[seen.challenged])), len(np.unique(seen.key[~seen.challenged]))) >= LEAST_KEYS


def _reward(found: Estimate, limit: float, n: int, words: str) -> Check:
    harmed = found.upper < -limit
    said = "it is worse" if harmed else "no harm is found"
    return Check(
        name="reward",
        harmed=harmed,
        number=found.value,
        lower=found.lower,
        upper=found.upper,
        limit=-limit,
        n=n,
        sentence=f"{words} {found.value:+.4g} against the champion ({found.lower:+.4g} to {found.upper:+.4g}, n {n:,}): {said}.",
    )


def error_check(errors: int, n: int, level: float, limit: float, said: str = "") -> Check:
    """Harm: it fails in a larger share than `limit`; with a limit of 0, at all. `said`: the error it failed with.

    The e-value of the share's being ≤ limit: its likelihood ratio averaged over all larger ones, a test martingale, so that by
    Ville's inequality it ever reaches 1/α with probability ≤ α.

    >>> error_check(1, 50, 0.95, 0.0).harmed, error_check(1, 50, 0.95, 0.02).harmed, error_check(20, 50, 0.95, 0.02).harmed
    (True, False, True)
    """
    harmed = errors > 0 if limit == 0 else log_e_value(errors, n, limit) >= -math.log(1 - level)
    share = errors / n if n else math.nan
    why = f" ({said})" if said else ""
    sentence = f"It failed in {errors:,} of {n:,} decisions{why}; {limit:.2%} is tolerated" + (": too often." if harmed else ".")
    return Check(name="errors", harmed=harmed, number=share, lower=math.nan, upper=math.nan, limit=limit, n=n, sentence=sentence)


def log_e_value(errors: int, n: int, limit: float) -> float:
    """log of ∫ q^k (1 − q)^(n − k) / (r^k (1 − r)^(n − k)) dq/(1 − r) over q in (r, 1)."""
    if limit >= 1:
        return -math.inf
    above = float(betainc(n - errors + 1, errors + 1, 1 - limit))
    if above == 0.0:
        return -math.inf
    mixed = math.log(above) + float(betaln(errors + 1, n - errors + 1)) - math.log1p(-limit)
    return mixed - errors * math.log(limit) - (n - errors) * math.log1p(-limit)


def latency_check(champion: Sequence[float], challenger: Sequence[float], level: float, limit: float) -> Check:
    """Harm: its mean is longer by more than `limit`. Each variant is (n, sum, sum of squares); one sequence each, at half of α."""
    n = int(challenger[0])
    if min(n, champion[0]) < LEAST:
        return _unknown("latency", limit, n)
    theirs, ours = _of_moments(champion, (1 + level) / 2), _of_moments(challenger, (1 + level) / 2)
    lower, upper = ours.lower - theirs.upper, ours.upper - theirs.lower
    harmed = lower > limit
    value = ours.value - theirs.value
    sentence = (
        f"Scoring a decision takes {value:+,.0f} µs against the champion ({lower:+,.0f} to {upper:+,.0f}); "
        f"{limit:+,.0f} µs is tolerated" + (": too long." if harmed else ".")
    )
    return Check(name="latency", harmed=harmed, number=value, lower=lower, upper=upper, limit=limit, n=n, sentence=sentence)


def _of_moments(moments: Sequence[float], level: float) -> Estimate:
    n, total, squares = moments
    mean = total / n
    variance = max(squares / n - mean * mean, 0.0) * n / (n - 1)
    return asymptotic_of_moments(mean, variance, int(n), level, 1_000)


def _unknown(name: str, limit: float, n: int) -> Check:
    sentence = f"Too few decisions yet to look at its {name} ({n:,})."
    nan = math.nan
    return Check(name=name, harmed=False, number=nan, lower=nan, upper=nan, limit=limit, n=n, sentence=sentence)
