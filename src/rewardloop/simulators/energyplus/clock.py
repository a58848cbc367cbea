"""The time of day and of year as an agent may see them, from the number of a step. Knows no simulator."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date, timedelta
from typing import NamedTuple

from rewardloop.zygote.model import YEAR


class Moment(NamedTuple):
    """The end of a step. `day` counts from 1 January, from 1; `hour` from midnight."""

    day: int
    hour: float

    @property
    def weekend(self) -> bool:
        return (date(YEAR, 1, 1) + timedelta(days=self.day - 1)).weekday() >= 5


def moment(first_day: int, n_steps: int, steps_an_hour: int) -> Moment:
    """
    >>> moment(32, 25 * 6 + 3, 6)
    Moment(day=33, hour=1.5)
    """
    day, step = divmod(n_steps, 24 * steps_an_hour)
    return Moment(first_day + day, step / steps_an_hour)


CLOCK: dict[str, Callable[[Moment], float]] = {
    "hour_sin": lambda at: math.sin(at.hour * math.tau / 24),
    "hour_cos": lambda at: math.cos(at.hour * math.tau / 24),
    "day_sin": lambda at: math.sin(at.day * math.tau / 365),
    "day_cos": lambda at: math.cos(at.day * math.tau / 365),
    "weekend": lambda at: float(at.weekend),
}
"""What an observation may ask of the clock."""
