"""How many events until a difference is seen? From the scatter of paired scores in a log, or from a plan before there is one.

A difference is seen when the two-sided interval of the paired difference lies above 0, looked at once. An interval that holds at
every look (the strict gate's confidence sequence) needs about 1.9 times as many events, if it is aimed at their number.
"""

from __future__ import annotations

import math

import msgspec
from scipy.special import ndtri

from rewardloop.errors import InvalidInput
from rewardloop.interactions import Floats


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A test before there is a log: rewards of 0 or 1, two greedy policies with a floor spread over all arms."""

    arms: int
    floor: float
    """Share of decisions spread over all arms, as `policy.floor`."""
    rate: float
    """Mean reward of the hosted policy's choices."""
    changed: float = 1.0
    """Share of the contexts for which the candidate prefers another arm."""


def spread(scores: Floats) -> float:
    """Standard deviation of scores, n − 1; 0 for fewer than two."""
    return float(scores.std(ddof=1)) if len(scores) > 1 else 0.0


def events_needed(sd: float, delta: float, *, level: float = 0.95, power: float = 0.8) -> int:
    """n = ((z_(1+level)/2 + z_power)·sd/δ)², evaluated events: for a mean of paired scores with this standard deviation.

    Approximate: the mean is taken as normal. Raises `InvalidInput` for what no number of events can answer.

    >>> events_needed(sd=0.5, delta=0.1)
    197
    """
    _check_positive("--delta", delta)
    return max(2, math.ceil(_factor(level, power) ** 2 * (sd / delta) ** 2))


def detectable(sd: float, n: int, *, level: float = 0.95, power: float = 0.8) -> float:
    """The smallest difference that n events show, in units of reward.

    >>> round(detectable(sd=0.5, n=197), 3)
    0.1
    """
    return _factor(level, power) * sd / math.sqrt(n) if n else math.inf


def planned_spread(plan: Plan, delta: float) -> float:
    """Standard deviation of the paired DR score under a plan whose candidate is δ better, a reward model that knows only the rate.

    Where the policies differ, the score is (1−f)·(r−b)·K/f on the candidate's arm (logged with f/K) and −(1−f)·(r−b)/(1−f+f/K) on
    the hosted one's; elsewhere 0. Raises `InvalidInput`.

    >>> round(planned_spread(Plan(arms=4, floor=0.2, rate=0.1), delta=0.02), 2)
    1.21
    """
    _check_plan(plan, delta)
    rate, mix = plan.rate, 1 - plan.floor
    lift = delta / (plan.changed * mix)
    if rate + lift > 1:
        raise InvalidInput(f"Expected a gain of at most {(1 - rate) * plan.changed * mix:.3g}: rewards end at 1", at="--delta")
    better = (rate + lift) * (1 - rate - lift) + lift**2
    second = mix**2 * (better * plan.arms / plan.floor + rate * (1 - rate) / (mix + plan.floor / plan.arms))
    return math.sqrt(plan.changed * second - delta**2)


def _factor(level: float, power: float) -> float:
    return float(ndtri((1 + level) / 2) + ndtri(power))


def _check_plan(plan: Plan, delta: float) -> None:
    _check_positive("--delta", delta)
    if plan.arms < 2:
        raise InvalidInput(f"Expected at least 2 arms, got {plan.arms}", at="--arms")
    for name, share, most in (("--floor", plan.floor, 1.0), ("--changed", plan.changed, None), ("--rate", plan.rate, 1.0)):
        if not share > 0 or share > 1 or share == most:
            raise InvalidInput(f"Expected a share above 0 and {'below' if most else 'up to'} 1, got {share:g}", at=name)


def _check_positive(name: str, value: float) -> None:
    if not 0 < value < math.inf:
        raise InvalidInput(f"Expected a difference above 0, got {value:g}", at=name)
