"""A battery that buys and sells energy. Bound: the linear programme that knows every price; baseline: the same on a forecast."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from scipy.optimize import linprog

from rewardloop.errors import SimulatorFailed
from rewardloop.simulators.business.episode import Business, Floats, Rule, at_least

POWER: Final = 0.25
EFFICIENCY: Final = 0.95
_MEAN: Final = 50.0
_PERSISTS: Final = 0.8
_WOBBLE: Final = 8.0
_SPIKE: Final = 150.0
_RATE: Final = 0.02
_HIGHEST: Final = 500.0
_LEVELS: Final = 41
_AHEAD: Final = 24
Prices = NDArray[np.float64]


class Storage(Business):
    """1 MWh, at most 0.25 MWh an hour, 5 % lost each way, by the hour for a week. Prices in € a MWh: a daily shape with two peaks,
    an AR(1) deviation (0.8, 8 €), and spikes of 150 € in one hour of fifty. Revenue is paid in tens of euros.

    Action: −1 sells at full power, 1 buys; what the battery cannot take or give is left out. Observation: charge, price/100, the
    price that is usual at this hour/100, sine and cosine of the hour, the share of hours that is left.
    """

    def __init__(self, n_hours: int = 168, measure_bound: bool = True) -> None:
        self.n_hours = at_least(1, n_hours, "n_hours")
        super().__init__(n_hours, measure_bound)
        limit = _HIGHEST / 100
        low = np.array([0.0, -limit, 0.0, -1.0, -1.0, 0.0], dtype=np.float32)
        self.observation_space = spaces.Box(low, np.array([1.0, limit, limit, 1.0, 1.0, 1.0], dtype=np.float32), dtype=np.float32)
        self.action_space = spaces.Box(-1.0, 1.0, (1,), np.float32)

    def draw(self, generator: np.random.Generator) -> None:
        self._start = int(generator.integers(24))
        self._prices = prices(generator, self._start, self.n_hours + 1)
        self._charge = 0.0

    def look(self) -> Floats:
        hour = (self._start + self._n) % 24
        angle, left = 2 * math.pi * hour / 24, 1 - self._n / self.n_hours
        values = [self._charge, self._prices[self._n] / 100, usual(hour) / 100, math.sin(angle), math.cos(angle), left]
        return np.array(values, dtype=np.float32)

    def advance(self, action: Floats) -> tuple[float, bool]:
        wanted = float(action[0]) * POWER
        bought = min(max(wanted, 0.0), (1 - self._charge) / EFFICIENCY)
        sold = min(max(-wanted, 0.0), self._charge * EFFICIENCY)
        self._charge = min(1.0, max(0.0, self._charge + bought * EFFICIENCY - sold / EFFICIENCY))
        return float(self._prices[self._n - 1]) * (sold - bought) / 10, self._n >= self.n_hours

    def bound(self) -> float:
        """The optimum with every price known."""
        return best_revenue(self._prices[: self.n_hours]) / 10

    def baselines(self) -> Mapping[str, Rule]:
        return {"plans a day ahead": self._planned}

    def _planned(self, observation: Floats) -> Floats:
        """The first hour of the best plan for the next 24, were prices to come back from now's to the usual as they do on
        average.
        """
        charge, price, normal, sine, cosine, left = observation.astype(float).tolist()
        hour = round(math.atan2(sine, cosine) * 12 / math.pi)
        gap = price * 100 - normal * 100
        gap = math.copysign(min(abs(gap), 4 * _WOBBLE), gap)
        n = min(_AHEAD, max(1, round(left * self.n_hours)))
        expected = [price * 100, *(usual((hour + i) % 24) + gap * _PERSISTS**i for i in range(1, n))]
        return np.array([first_move(np.array(expected), charge)], dtype=np.float32)


def usual(hour: int) -> float:
    """The expected price without spikes."""
    return _MEAN + 12 * math.sin(2 * math.pi * (hour - 9) / 24) + 15 * math.sin(4 * math.pi * (hour - 5) / 24)


def prices(generator: np.random.Generator, start: int, n: int) -> Prices:
    """Prices of n hours, from hour `start` of a day."""
    noise, spikes = generator.standard_normal(n), generator.random(n) < _RATE
    gap, found = 0.0, np.empty(n)
    for i in range(n):
        gap = _PERSISTS * gap + _WOBBLE * noise[i]
        found[i] = usual((start + i) % 24) + gap + _SPIKE * spikes[i]
    return np.clip(found, -_HIGHEST, _HIGHEST)


def best_revenue(known: Prices) -> float:
    """What an empty battery earns at most on known prices: hours' purchases and sales within power and charge.

    >>> round(best_revenue(np.array([10.0, 100.0])), 4)
    20.0625
    """
    n = len(known)
    summed = np.tril(np.ones((n, n)))
    charge = np.hstack([EFFICIENCY * summed, -summed / EFFICIENCY])
    limits = np.concatenate([np.ones(n), np.zeros(n)])
    solved = linprog(np.concatenate([known, -known]), A_ub=np.vstack([charge, -charge]), b_ub=limits, bounds=(0, POWER))
    if not solved.success:
        raise SimulatorFailed(f"Expected the linear programme of the optimum to be solved, got: {solved.message}")
    return float(-solved.fun)


def first_move(expected: Prices, charge: float) -> float:
    """The action now of the best plan over the expected prices: backwards over 41 levels of charge, each hour full power at
    most.
    """
    levels = np.linspace(0, 1, _LEVELS)
    moves = np.arange(-11, 11) / (_LEVELS - 1)
    worth = np.zeros(_LEVELS)
    for price in expected[:0:-1]:
        worth = _options(price, levels, moves, worth, levels).max(axis=1)
    now = _options(expected[0], np.array([charge]), moves, worth, levels)[0]
    move = float(moves[int(np.argmax(now))])
    return float(np.clip((move / EFFICIENCY if move > 0 else move * EFFICIENCY) / POWER, -1, 1))


def _options(price: float, levels: Prices, moves: Prices, worth: Prices, at: Prices) -> Prices:
    """Of each level and each change of charge, the revenue and the worth of where it leads; −∞ where it cannot be."""
    after = levels[:, None] + moves
    traded = np.where(moves > 0, -moves / EFFICIENCY, -moves * EFFICIENCY)
    possible = (after > -1e-9) & (after < 1 + 1e-9) & (np.abs(traded) <= POWER + 1e-9)
    return np.where(possible, price * traded + np.interp(after, at, worth), -np.inf)
