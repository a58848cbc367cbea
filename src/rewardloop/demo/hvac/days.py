"""One day (or a few) of a building under several controllers, step by step, and its picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from rewardloop.charts import Chart, strips
from rewardloop.rl.environments import Env
from rewardloop.rl.episodes import Episode, Step, play
from rewardloop.rl.toolkit import Actor
from rewardloop.simulators.energyplus import Specification
from rewardloop.simulators.energyplus.accounts import StepAccount


@dataclass(slots=True)
class Day:
    """What was seen of it, a number a step in each list."""

    hours: list[float] = field(default_factory=list)
    temperatures_c: dict[str, list[float]] = field(default_factory=dict)
    """Those that comfort is about."""
    set_points: dict[str, list[float]] = field(default_factory=dict)
    """As applied, in the building's units; empty under its own schedules."""
    servers_kw: list[float] = field(default_factory=list)
    hvac_kw: list[float] = field(default_factory=list)
    energy_kwh: list[float] = field(default_factory=list)
    """In each step."""
    hvac_kwh: list[float] = field(default_factory=list)


def recorded(env: Env, specification: Specification, actor: Actor, seed: int) -> tuple[Day, Episode]:
    """Plays one episode and keeps what the picture needs."""
    day, shown = Day(), [one.of for one in specification.observations]
    columns = {name: shown.index(name) for name in specification.comfort.of if name in shown}

    def look(step: Step) -> None:
        account: StepAccount = step.info["account"]
        day.hours.append((day.hours[-1] if day.hours else 0.0) + account.hours)
        day.servers_kw.append(account.it_kwh / account.hours)
        day.hvac_kw.append(account.hvac_kwh / account.hours)
        day.energy_kwh.append(account.energy_kwh)
        day.hvac_kwh.append(account.hvac_kwh)
        for name, column in columns.items():
            day.temperatures_c.setdefault(name, []).append(float(step.observation[column]))
        for name, value in zip(specification.actions, step.info["applied"] or (), strict=False):
            day.set_points.setdefault(name, []).append(value)

    return day, play(env, actor, seed, look)


def day_chart(specification: Specification, days: Mapping[str, Day], chosen: str, place: str) -> Chart:
    """Temperatures with their band, set-points and power of the chosen controller; energy so far of all of them."""
    day = days[chosen]
    low, high = specification.comfort.band
    band = {"band from": [low] * len(day.hours), "to": [high] * len(day.hours)}
    panels: dict[str, Mapping[str, Sequence[float]]] = {
        "temperature, °C": {**day.temperatures_c, **band},
        "set-points, °C": day.set_points,
        "power, kW": {"servers": day.servers_kw, "HVAC": day.hvac_kw},
        "energy so far, kWh": {name: list(accumulate(one.energy_kwh)) for name, one in days.items()},
        "of it HVAC, kWh": {name: list(accumulate(one.hvac_kwh)) for name, one in days.items()},
    }
    total = {name: sum(one.energy_kwh) for name, one in days.items()}
    words = ", ".join(f"{name} {value:,.0f} kWh" for name, value in total.items())
    return strips(f"{specification.name}: {chosen}", day.hours, panels, x="hour", subtitle=[f"{place}: {words}"])
