"""What a step and an episode cost: energies, the peak, how far and how long comfort was missed. Sums only; no policy, no reward."""

from __future__ import annotations

import msgspec


class StepAccount(msgspec.Struct, frozen=True):
    """One step. `comfort_kelvin_hours` sums, over zones, degrees outside the comfort band × hours, while it counts."""

    hours: float
    energy_kwh: float
    hvac_kwh: float
    it_kwh: float
    comfort_kelvin_hours: float
    power_kw: float

    def __add__(self, other: StepAccount) -> StepAccount:
        """Both, one after the other; the power is the mean."""
        hours, energy = self.hours + other.hours, self.energy_kwh + other.energy_kwh
        return StepAccount(
            hours,
            energy,
            self.hvac_kwh + other.hvac_kwh,
            self.it_kwh + other.it_kwh,
            self.comfort_kelvin_hours + other.comfort_kelvin_hours,
            energy / hours,
        )

    @property
    def pue(self) -> float:
        """Power usage effectiveness: all energy over that of the servers; NaN where there are none."""
        return self.energy_kwh / self.it_kwh if self.it_kwh > 0 else float("nan")


class EpisodeAccount(msgspec.Struct):
    """An episode so far; a copy of it stands in `info["episode_account"]` at the end. `n_steps`: time steps of the simulator.

    >>> account = EpisodeAccount()
    >>> account.add(StepAccount(0.5, 6.0, 2.0, 4.0, 0.25, 12.0), -1.0)
    >>> account.pue, account.peak_kw, account.n_steps
    (1.5, 12.0, 1)
    """

    n_steps: int = 0
    hours: float = 0.0
    energy_kwh: float = 0.0
    hvac_kwh: float = 0.0
    it_kwh: float = 0.0
    comfort_kelvin_hours: float = 0.0
    peak_kw: float = 0.0
    episode_return: float = 0.0

    @property
    def pue(self) -> float:
        return self.energy_kwh / self.it_kwh if self.it_kwh > 0 else float("nan")

    def add(self, step: StepAccount, reward: float) -> None:
        self.n_steps += 1
        self.hours += step.hours
        self.energy_kwh += step.energy_kwh
        self.hvac_kwh += step.hvac_kwh
        self.it_kwh += step.it_kwh
        self.comfort_kelvin_hours += step.comfort_kelvin_hours
        self.peak_kw = max(self.peak_kw, step.power_kw)
        self.episode_return += reward
