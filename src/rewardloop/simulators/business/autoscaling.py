"""Servers that take a while to start, under a load that follows the day, drifts and bursts. Bound: any number at any time, at
once.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from rewardloop.simulators.business.episode import Business, Floats, Rule, at_least

MOST: Final = 30
COST: Final = 0.02
DROPPED: Final = 0.2
_DAY: Final = 288
_DRIFTS: Final = 0.95
_WOBBLE: Final = 0.02
_BURST: Final = 5.0
_FADES: Final = 0.9
_RATE: Final = 0.01


class Autoscaling(Business):
    """A day in steps of five minutes. Load in servers' worth: a daily wave × a drift (AR(1), 0.95), plus bursts of 5 that fade by
    0.9.

    A server costs 0.02 a step from the moment it is asked for, load that no server takes 0.2 a unit. Action: how many servers there
    should be; those that are missing run `delay` steps later, those too many stop at once, the youngest first.
    Observation: load, load a step before, running and starting by age, all over 30; sine and cosine of the time of day.
    """

    def __init__(self, delay: int = 3, n_steps: int = _DAY, measure_bound: bool = True) -> None:
        self.delay = at_least(1, delay, "delay")
        super().__init__(n_steps, measure_bound)
        low = np.array([*[0.0] * (3 + delay), -1.0, -1.0], dtype=np.float32)
        self.observation_space = spaces.Box(low, np.array([10.0, 10.0, *[1.0] * (delay + 3)], dtype=np.float32), dtype=np.float32)
        self.action_space = spaces.Discrete(MOST + 1)

    def draw(self, generator: np.random.Generator) -> None:
        self._start = int(generator.integers(_DAY))
        height = generator.uniform(0.7, 1.3)
        self._loads = loads(generator, self._start, self._n_steps + 1) * height
        self._first = min(MOST, math.ceil(self._loads[0]))
        self._running, self._starting = self._first, [0] * self.delay
        self._before = self._loads[0]

    def look(self) -> Floats:
        now = min(self._n, self._n_steps)
        angle = 2 * math.pi * (self._start + now) / _DAY
        counts = [min(self._loads[now], 10 * MOST), min(self._before, 10 * MOST), self._running, *self._starting]
        return np.array([*[count / MOST for count in counts], math.sin(angle), math.cos(angle)], dtype=np.float32)

    def advance(self, action: int) -> tuple[float, bool]:
        """The load that was seen is served by what is running; then starts and stops, and one step passes."""
        load = float(self._loads[self._n - 1])
        self._ask(action - self._running - sum(self._starting))
        cost = COST * (self._running + sum(self._starting)) + DROPPED * max(0.0, load - self._running)
        self._running += self._starting.pop(0)
        self._starting.append(0)
        self._before = load
        return -cost, self._n >= self._n_steps

    def _ask(self, more: int) -> None:
        if more >= 0:
            self._starting[-1] += more
            return
        for age in reversed(range(self.delay)):
            cancelled = min(-more, self._starting[age])
            self._starting[age] -= cancelled
            more += cancelled
        self._running += more

    def bound(self) -> float:
        """Each step by itself with the best number running, as many as there can be by then; what starts is free."""
        most = np.where(np.arange(self._n_steps) < self.delay, self._first, MOST)
        counts = np.arange(MOST + 1)
        costs = COST * counts + DROPPED * np.maximum(0.0, self._loads[: self._n_steps, None] - counts)
        return -float(np.where(counts <= most[:, None], costs, np.inf).min(axis=1).sum())

    def baselines(self) -> Mapping[str, Rule]:
        return {"predictive": self._predictive, "reactive": reactive}

    def _predictive(self, observation: Floats) -> int:
        """The load there will be when a server is up, by the daily wave and the last measured one, and one server in reserve."""
        load, angle = float(observation[0]) * MOST, math.atan2(observation[-2], observation[-1])
        ahead = angle + 2 * math.pi * self.delay / _DAY
        return min(MOST, math.ceil(max(load * wave(ahead) / wave(angle), 0.9 * load) + 1.0))


def reactive(observation: Floats) -> int:
    """So many that the load is 70 % of them."""
    return min(MOST, math.ceil(float(observation[0]) * MOST / 0.7))


def wave(angle: float) -> float:
    """Load at a time of day, before drift and bursts."""
    return 10.0 + 6.0 * math.sin(angle)


def loads(generator: np.random.Generator, start: int, n: int) -> NDArray[np.float64]:
    """Load at each of n steps, from step `start` of the day."""
    noise, bursts = generator.standard_normal(n), generator.random(n) < _RATE
    drift, burst, found = 0.0, 0.0, np.empty(n)
    for i in range(n):
        drift = _DRIFTS * drift + _WOBBLE * noise[i]
        burst = _FADES * burst + _BURST * bursts[i]
        found[i] = wave(2 * math.pi * (start + i) / _DAY) * math.exp(drift) + burst
    return found
