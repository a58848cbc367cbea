"""A shop that orders ahead: several periods, lost sales, orders that take their time (the ORL benchmark's newsvendor, Balaji
2019).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from gymnasium import spaces

from rewardloop.simulators.business.episode import Business, Floats, Rule, at_least

PRICE: Final = 10.0
COST: Final = 6.0
HOLDING: Final = 0.5
LOST: Final = 2.0
LARGEST: Final = 50
_RATES: Final = (5.0, 25.0)


class Newsvendor(Business):
    """Demand a period is Poisson; its rate is drawn from 5–25 for an episode and seen. Profit is paid in hundreds.

    A unit is bought for 6, sold for 10, kept a period for 0.5, and costs 2 where it is asked for and not there. What is ordered
    comes `lead` periods later; at first there is stock for `lead` periods. Action: the order as a share of 50 units, rounded.
    Observation: stock and each order under way over 50, the rate over 25, the share of periods that is left.
    """

    def __init__(self, n_periods: int = 50, lead: int = 3, measure_bound: bool = True) -> None:
        self.lead = at_least(1, lead, "lead")
        self.n_periods = at_least(lead + 1, n_periods, "n_periods")
        super().__init__(n_periods, measure_bound)
        high = np.array([n_periods + lead, *[1.0] * (lead - 1), 1.0, 1.0], dtype=np.float32)
        self.observation_space = spaces.Box(np.zeros_like(high), high, dtype=np.float32)
        self.action_space = spaces.Box(0.0, 1.0, (1,), np.float32)

    def draw(self, generator: np.random.Generator) -> None:
        self._rate = float(generator.uniform(*_RATES))
        self._demand = generator.poisson(self._rate, self.n_periods)
        self._stock = self._first = round(self._rate * self.lead)
        self._under_way = [0] * (self.lead - 1)

    def look(self) -> Floats:
        units = [count / LARGEST for count in (self._stock, *self._under_way)]
        return np.array([*units, self._rate / _RATES[1], 1 - self._n / self.n_periods], dtype=np.float32)

    def advance(self, action: Floats) -> tuple[float, bool]:
        order, demand = round(float(action[0]) * LARGEST), int(self._demand[self._n - 1])
        sold = min(self._stock, demand)
        self._stock -= sold
        profit = PRICE * sold - COST * order - HOLDING * self._stock - LOST * (demand - sold)
        self._under_way.append(order)
        self._stock += self._under_way.pop(0)
        return profit / 100, self._n >= self.n_periods

    def bound(self) -> float:
        """Profit with the demand known: nothing kept, nothing lost that could have been there."""
        early, late = int(self._demand[: self.lead].sum()), int(self._demand[self.lead :].sum())
        sold = min(self._first, early)
        bought = max(0, late - (self._first - sold))
        return (PRICE * (sold + late) - COST * bought - LOST * (early - sold)) / 100

    def baselines(self) -> Mapping[str, Rule]:
        return {"base stock": self._base_stock}

    def _base_stock(self, observation: Floats) -> Floats:
        """Order up to the critical fractile of demand over lead time and period; nothing that would come too late."""
        seen = observation.astype(float)
        position, left = seen[: self.lead].sum() * LARGEST, round(seen[-1] * self.n_periods)
        fractile = (PRICE - COST + LOST) / (PRICE - COST + LOST + HOLDING)
        target = poisson_quantile(seen[-2] * _RATES[1] * (self.lead + 1), fractile) if left > self.lead else 0
        return np.array([np.clip((target - position) / LARGEST, 0, 1)], dtype=np.float32)


def poisson_quantile(mean: float, level: float) -> int:
    """The smallest count whose cumulative probability is at least `level`.

    >>> poisson_quantile(4.0, 0.5)
    4
    """
    probability = cumulated = float(np.exp(-mean))
    count = 0
    while cumulated < level and count < 10 * mean + 100:
        count += 1
        probability *= mean / count
        cumulated += probability
    return count
