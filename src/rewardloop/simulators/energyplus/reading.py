"""A reading made into what a trainer wants of it: observation, reward, accounts. Pure functions of numbers and a specification."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rewardloop.simulators.energyplus.accounts import StepAccount
from rewardloop.simulators.energyplus.clock import CLOCK, Moment
from rewardloop.simulators.energyplus.specification import Specification, Term

COUNTS_ABOVE = 0.05
"""A term with a `when` counts while that sensor is above this."""

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Band:
    """How far a row's columns lie outside [low, high], summed, while its condition holds."""

    columns: tuple[int, ...]
    low: float
    high: float
    when: int | None

    def outside(self, row: Sequence[float]) -> float:
        if self.when is not None and row[self.when] <= COUNTS_ABOVE:
            return 0.0
        low, high, total = self.low, self.high, 0.0
        for i in self.columns:
            value = row[i]
            if value < low:
                total += low - value
            elif value > high:
                total += value - high
        return total


class Interpreter:
    """Reads rows: the columns' names are those of `planned`; meters come in J a step and are made W by `row`."""

    def __init__(self, specification: Specification, columns: tuple[str, ...], steps_an_hour: int) -> None:
        self._index = {name: i for i, name in enumerate(columns)}
        n_variables = sum(sensor.variable is not None for sensor in specification.sensors.values())
        self._scale = np.array([1.0 if i < n_variables else steps_an_hour / 3600 for i in range(len(columns))])
        self._hours = 1 / steps_an_hour
        observed = specification.observations
        self._shown = np.array([i for i, one in enumerate(observed) if one.of not in CLOCK], dtype=np.intp)
        self._from = np.array([self._index[observed[i].of] for i in self._shown], dtype=np.intp)
        self._clocks = [(i, CLOCK[one.of]) for i, one in enumerate(observed) if one.of in CLOCK]
        self._low, self._high = (np.array([getattr(one, side) for one in observed]) for side in ("low", "high"))
        self._terms = [self._term(term) for term in specification.reward.values()]
        energy, comfort = specification.energy, specification.comfort
        self._total, self._hvac, self._it = (self._columns(names) for names in (energy.total, energy.hvac, energy.it))
        self._comfort = self._band(comfort.of, comfort.band, comfort.when)

    def rows(self, reading: bytes) -> FloatArray:
        """The sensors' values, shape (time steps, columns): °C and the like as they are, meters as mean W."""
        rows: FloatArray = np.frombuffer(reading).reshape(-1, len(self._scale)) * self._scale
        return rows

    def observation(self, row: FloatArray, at: Moment) -> FloatArray:
        """Shape (observations,), within their ranges."""
        values = np.empty(len(self._low))
        values[self._shown] = row[self._from]
        for index, clock in self._clocks:
            values[index] = clock(at)
        within: FloatArray = np.minimum(np.maximum(values, self._low), self._high)
        return within

    def reward(self, row: Sequence[float]) -> list[float]:
        """The terms, in the specification's order; the reward is their sum."""
        return [weight * value(row) for weight, value in self._terms]

    def account(self, row: Sequence[float]) -> StepAccount:
        hours = self._hours
        total, hvac, it = (sum([row[i] for i in columns]) / 1000 for columns in (self._total, self._hvac, self._it))
        return StepAccount(hours, total * hours, hvac * hours, it * hours, self._comfort.outside(row) * hours, total)

    def _term(self, term: Term) -> tuple[float, Callable[[Sequence[float]], float]]:
        if term.band is not None:
            return term.weight, self._band(term.of, term.band, term.when).outside
        columns, when = self._columns(term.of), None if term.when is None else self._index[term.when]
        return term.weight, lambda row: sum([row[i] for i in columns]) if when is None or row[when] > COUNTS_ABOVE else 0.0

    def _band(self, of: tuple[str, ...], band: tuple[float, float], when: str | None) -> Band:
        return Band(self._columns(of), *band, None if when is None else self._index[when])

    def _columns(self, names: Sequence[str]) -> tuple[int, ...]:
        return tuple(self._index[name] for name in names)
