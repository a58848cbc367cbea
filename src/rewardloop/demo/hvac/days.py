"""One day (or a few) of a building under several controllers, step by step, and its picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from rewardloop.charts import Chart, strips
from rewardloop.rl.environments import Env
from rewardloop.rl.playing.episodes import Episode, Step, play
from rewardloop.rl.toolkit import Actor
from rewardloop.simulators.energyplus import Specification
from rewardloop.simulators.energyplus.accounts import StepAccount

_OUTDOORS = "outdoor_temp_c"
_TEMPERATURE = "temperature and its band, °C"
_HOURS_SHOWN = 48
"""A longer episode is drawn over days."""


@dataclass(slots=True)
class Day:
    """What was seen of it, a number a step in each list."""

    hours: list[float] = field(default_factory=list)
    outdoors_c: list[float] = field(default_factory=list)
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
        if _OUTDOORS in shown:
            day.outdoors_c.append(float(step.observation[shown.index(_OUTDOORS)]))
        for name, column in columns.items():
            day.temperatures_c.setdefault(name, []).append(float(step.observation[column]))
        for name, value in zip(specification.actions, step.info["applied"] or (), strict=False):
            day.set_points.setdefault(name, []).append(value)

    return day, play(env, actor, seed, look)


def day_chart(specification: Specification, days: Mapping[str, Day], chosen: str, place: str) -> Chart:
    """Weather; set-points and power of the chosen controller; temperatures with their band, of it and of the first, the building as
    designed; HVAC power and energy so far of all of them."""
    day, (designed, built) = days[chosen], next(iter(days.items()))
    panels: dict[str, Mapping[str, Sequence[float]]] = {
        "outdoors, °C": {"outdoors": day.outdoors_c},
        _TEMPERATURE: _temperatures({designed: built, chosen: day}),
        f"set-points of the {chosen}, °C": {_words(name): values for name, values in day.set_points.items()},
        f"power under the {chosen}, kW": {"servers": day.servers_kw, "HVAC": day.hvac_kw},
        "HVAC power, kW": {name: one.hvac_kw for name, one in days.items()},
        "energy so far, kWh": {name: list(accumulate(one.energy_kwh)) for name, one in days.items()},
        f"less than {designed} so far, kWh": {name: _less(one, built) for name, one in days.items()},
    }
    total = {name: (sum(one.energy_kwh), sum(one.hvac_kwh)) for name, one in days.items()}
    words = ", ".join(f"{name} {energy:,.0f} kWh (HVAC {hvac:,.0f})" for name, (energy, hvac) in total.items())
    long = day.hours[-1] > _HOURS_SHOWN
    return strips(
        f"{specification.name}: {chosen}",
        [hour / 24 for hour in day.hours] if long else day.hours,
        {name: lines for name, lines in panels.items() if all(lines.values())},
        x="day" if long else "hour",
        subtitle=[f"{place}.", words],
        bands={_TEMPERATURE: specification.comfort.band},
    )


def _temperatures(days: Mapping[str, Day]) -> dict[str, list[float]]:
    """A line a controller, and a zone where there are several."""
    several = any(len(day.temperatures_c) > 1 for day in days.values())
    return {
        f"{_words(zone)}, {name}" if several else name: values
        for name, day in days.items()
        for zone, values in day.temperatures_c.items()
    }


def _words(name: str) -> str:
    """A sensor's or an action's name without its unit, which the panel says."""
    return name.removesuffix("_c").replace("_", " ")


def _less(day: Day, built: Day) -> list[float]:
    return list(accumulate(there - here for here, there in zip(day.energy_kwh, built.energy_kwh, strict=True)))
