"""What an agent is told of the outdoor temperature to come: the truth, with an error if one is wanted."""

from __future__ import annotations

import numpy as np

from rewardloop.simulators.energyplus.clock import Moment
from rewardloop.simulators.energyplus.specification import Forecast
from rewardloop.simulators.energyplus.weather import Temperatures, read_temperatures, weather_path

COLDEST_C, WARMEST_C = -40.0, 50.0


class Forecasts:
    """None at all where the specification names no hours."""

    def __init__(self, forecast: Forecast) -> None:
        self._forecast = forecast
        self.bounds = [(COLDEST_C, WARMEST_C)] * len(forecast.hours)
        self._files: dict[str, Temperatures] = {}
        self._current: Temperatures | None = None
        self._errors = np.random.default_rng(0)

    def begin(self, weather: str, generator: np.random.Generator) -> None:
        """A new episode. Takes one number of the generator, for its own errors."""
        if not self._forecast.hours:
            return
        if weather not in self._files:
            self._files[weather] = read_temperatures(weather_path(weather))
        self._current = self._files[weather]
        self._errors = np.random.default_rng(generator.integers(1 << 63))

    def at(self, now: Moment) -> list[float]:
        """In °C, one for each of the hours named."""
        current = self._current
        if current is None:
            return []
        hour = (now.day - 1) * 24 + now.hour
        values = [current.at(hour + ahead) for ahead in self._forecast.hours]
        if self._forecast.noise_k == 0:
            return values
        return [value + float(self._errors.normal(0, self._forecast.noise_k)) for value in values]

    def copy(self) -> Forecasts:
        made = Forecasts(self._forecast)
        made._files, made._current = self._files, self._current
        made._errors.bit_generator.state = self._errors.bit_generator.state
        return made
