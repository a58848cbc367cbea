"""Whether each actuator does anything: one that is accepted and ignored would be trained on for nothing."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator
from itertools import zip_longest

from rewardloop.errors import InvalidSettings, SimulatorFailed
from rewardloop.simulators.energyplus.simulator import Simulator

DAYS = (15, 196)
"""A winter's and a summer's day: what only heats does nothing on the other."""


def check_effects(simulator: Simulator) -> None:
    """Each actuator alone, at its action's low and high end, against none at all, over a day; raises `InvalidSettings`.

    Any other reading of any sensor is an effect, schedules aside, which show no more than that they were set.
    """
    idle = dict.fromkeys(range(len(simulator.plan.actuators)))
    for day in DAYS:
        untouched = list(_readings(simulator, day, None, 0.0))
        for index, value in _ends(simulator):
            if index in idle and _differs(simulator, day, index, value, untouched):
                del idle[index]
    if idle:
        raise _ignored(simulator, next(iter(idle)))


def _ends(simulator: Simulator) -> Iterator[tuple[int, float]]:
    index = 0
    for action in simulator.specification.actions.values():
        for _ in action.actuators:
            yield index, action.low
            yield index, action.high
            index += 1


def _differs(simulator: Simulator, day: int, index: int, value: float, untouched: list[list[float]]) -> bool:
    readings = _readings(simulator, day, index, value)
    try:
        return any(one != other for one, other in zip_longest(readings, untouched))
    except SimulatorFailed:  # Set-points that cross end a run: the other stands as scheduled here, and no constraint is kept.
        return True


def _readings(simulator: Simulator, day: int, index: int | None, value: float) -> Iterator[list[float]]:
    """A day with one actuator held, or none; ends early when the reader has seen enough."""
    command = array("d", [math.nan] * len(simulator.plan.actuators))
    if index is not None:
        command[index] = value
    shown = [i for i, (name, _) in enumerate(simulator.plan.variables) if name != "Schedule Value"]
    shown += range(len(simulator.plan.variables), len(simulator.columns))
    episode = simulator.begin(simulator.specification.weather.train[0], day)
    try:
        for _ in range(24 * simulator.steps_an_hour // simulator.plan.hold):
            episode.send(command.tobytes())
            reading = array("d", episode.receive())[-len(simulator.columns) :]
            yield [reading[i] for i in shown]
    finally:
        episode.close()


def _ignored(simulator: Simulator, index: int) -> InvalidSettings:
    places = [
        (f"$.actions.{name}.actuators[{i}]", one)
        for name, action in simulator.specification.actions.items()
        for i, one in enumerate(action.actuators)
    ]
    place, one = places[index]
    return InvalidSettings(
        f"Actuator `{one.component} / {one.control} / {one.key}` changes nothing, in winter or in summer: "
        "does another control override it, or does no sensor see its effect?",
        at=place,
    )
