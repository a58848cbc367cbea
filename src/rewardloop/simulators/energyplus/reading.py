"""A reading made into what a trainer wants of it: observation, reward, accounts. Pure functions of numbers and a specification.

Plain numbers, no arrays: between two steps EnergyPlus has emptied the caches, and a few lines of Python are fetched again sooner
than as many of numpy's functions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from struct import Struct

from rewardloop.simulators.energyplus.accounts import StepAccount
from rewardloop.simulators.energyplus.clock import CLOCK, Moment
from rewardloop.simulators.energyplus.specification import Specification, Term

COUNTS_ABOVE = 0.05
"""A term with a `when` counts while that sensor is above this."""

Row = Sequence[float]
"""The sensors' values after one time step."""


@dataclass(frozen=True)
class Band:
    """How far a row's columns lie outside [low, high], summed, while its condition holds."""

    columns: tuple[int, ...]
    low: float
    high: float
    when: int | None

    def outside(self, row: Row) -> float:
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


@dataclass(frozen=True)
class Shown:
    """One number of an observation: a column, or what the clock says; within its range."""

    column: int
    clock: Callable[[Moment], float] | None
    low: float
    high: float


class Interpreter:
    """Reads rows: the columns' names are those of `planned`; meters come in J a step and are made W by `rows`."""

    def __init__(self, specification: Specification, columns: tuple[str, ...], steps_an_hour: int) -> None:
        self._index = {name: i for i, name in enumerate(columns)}
        self._n_variables = sum(sensor.variable is not None for sensor in specification.sensors.values())
        self._packed = Struct(f"{len(columns)}d")
        self._per_s, self._hours = steps_an_hour / 3600, 1 / steps_an_hour
        self._shown = [
            Shown(self._index.get(one.of, -1), CLOCK.get(one.of), one.low, one.high) for one in specification.observations
        ]
        self._terms = [self._term(term) for term in specification.reward.values()]
        energy, comfort = specification.energy, specification.comfort
        self._total, self._hvac, self._it = (self._columns(names) for names in (energy.total, energy.hvac, energy.it))
        self._comfort = self._band(comfort.of, comfort.band, comfort.when)

    def rows(self, reading: bytes) -> list[Row]:
        """The sensors' values, a row a time step: °C and the like as they are, meters as mean W."""
        n, per_s = self._n_variables, self._per_s
        return [[*row[:n], *[joules * per_s for joules in row[n:]]] for row in self._packed.iter_unpack(reading)]

    def observation(self, row: Row, at: Moment) -> list[float]:
        """A number an observation, within their ranges."""
        values = []
        for one in self._shown:
            value = row[one.column] if one.clock is None else one.clock(at)
            values.append(one.low if value < one.low else one.high if value > one.high else value)
        return values

    def reward(self, row: Row) -> list[float]:
        """The terms, in the specification's order; the reward is their sum."""
        return [weight * value(row) for weight, value in self._terms]

    def account(self, row: Row) -> StepAccount:
        hours = self._hours
        total = sum([row[i] for i in self._total]) / 1000
        hvac = sum([row[i] for i in self._hvac]) / 1000
        it = sum([row[i] for i in self._it]) / 1000
        return StepAccount(hours, total * hours, hvac * hours, it * hours, self._comfort.outside(row) * hours, total)

    def _term(self, term: Term) -> tuple[float, Callable[[Row], float]]:
        if term.band is not None:
            return term.weight, self._band(term.of, term.band, term.when).outside
        columns, when = self._columns(term.of), None if term.when is None else self._index[term.when]
        return term.weight, lambda row: sum([row[i] for i in columns]) if when is None or row[when] > COUNTS_ABOVE else 0.0

    def _band(self, of: tuple[str, ...], band: tuple[float, float], when: str | None) -> Band:
        return Band(self._columns(of), *band, None if when is None else self._index[when])

    def _columns(self, names: Sequence[str]) -> tuple[int, ...]:
        return tuple(self._index[name] for name in names)
