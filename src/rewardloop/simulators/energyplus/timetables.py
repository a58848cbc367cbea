"""What a building's timetable says of the time to come, as a further schedule of the building. Starts no simulator."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rewardloop.errors import InvalidSettings, did_you_mean
from rewardloop.simulators.energyplus.specification import Sensor, Specification
from rewardloop.zygote.model import Model, Objects

KIND = "Schedule:Compact"
_DAY = 24 * 60
_UNTIL = re.compile(r"until\s*:?\s*(\d{1,2}):(\d{2})\s*", re.ASCII)


def key_of(sensor: Sensor) -> str:
    """The object that a sensor of a variable is read from: its own, or where it is foreseen the schedule added by `foretold`."""
    return f"{sensor.key} foreseen" if sensor.foreseen else sensor.key


def foretold(model: Objects, it: Specification, steps_an_hour: int) -> Objects:
    """The model with a schedule more for every sensor that is foreseen: the highest value while the next action lasts.

    Raises `InvalidSettings` for a key that is no `Schedule:Compact` of the building, or one of an unknown form.
    """
    foreseen = {name: sensor for name, sensor in it.sensors.items() if sensor.foreseen}
    if not foreseen:
        return model
    schedules = dict(model.get(KIND, {}))
    named = {name.casefold(): name for name in schedules}
    minutes = it.episode.hold * 60 // steps_an_hour
    for name, sensor in foreseen.items():
        if (found := named.get(sensor.key.casefold())) is None:
            hint = did_you_mean(sensor.key, schedules)
            raise InvalidSettings(f"Expected a {KIND} to foresee, got `{sensor.key}`{hint}", at=f"$.sensors.{name}.key")
        schedules[key_of(sensor)] = _shifted(schedules[found], minutes, f"$.sensors.{name}")
    return {**model, KIND: schedules}


def _shifted(schedule: Model, minutes: int, path: str) -> Model:
    """Day by day: a day is followed by its own beginning, which for a timetable is the same night."""
    made: list[object] = []
    for said, periods in _days(_words(schedule), path):
        made += _written(_foreseen(_minutes(periods, path), minutes)) if periods else [said]
    return {**schedule, "data": [{"field": one} for one in made]}


def _words(schedule: Model) -> list[object]:
    data = schedule.get("data")
    return [value for one in data if isinstance(one, dict) for value in one.values()] if isinstance(data, list) else []


def _days(words: Sequence[object], path: str) -> Iterator[tuple[object, list[tuple[str, float]]]]:
    """What is no period as it stands, with none; the periods of a day together."""
    periods: list[tuple[str, float]] = []
    following = iter(words)
    for word in following:
        said = str(word).casefold()
        if said.startswith("until"):
            periods.append((said, _number(next(following, None), path)))
            continue
        if not said.startswith(("through", "for")):
            raise InvalidSettings(f"Expected `Through`, `For` or `Until` in what is foreseen, got `{word}`", at=path)
        if periods:
            yield None, periods
            periods = []
        yield word, []
    if periods:
        yield None, periods


def _number(value: object, path: str) -> float:
    if not isinstance(value, int | float):
        raise InvalidSettings(f"Expected a number after `Until` in what is foreseen, got `{value}`", at=path)
    return float(value)


def _minutes(periods: Sequence[tuple[str, float]], path: str) -> list[float]:
    """A value a minute of the day."""
    values: list[float] = []
    for until, value in periods:
        clock = _UNTIL.fullmatch(until)
        end = 60 * int(clock[1]) + int(clock[2]) if clock else 0
        if not len(values) < end <= _DAY:
            raise InvalidSettings(
                f"Expected `Until: HH:MM`, each later than the one before, in what is foreseen, got `{until}`", at=path
            )
        values += [value] * (end - len(values))
    return values


def _foreseen(day: Sequence[float], minutes: int) -> list[float]:
    """The highest of the next `minutes` values, for each.

    >>> _foreseen([0, 0, 0, 1, 0], 2)
    [0, 1, 1, 0, 0]
    """
    twice = [*day, *day, *day[:1]]
    return [max(twice[i + 1 : i + 1 + min(minutes, len(day))]) for i in range(len(day))]


def _written(day: Sequence[float]) -> Iterator[object]:
    """Periods of equal values, the last until the end of the day."""
    for minute, value in enumerate(day, 1):
        if minute == len(day) or day[minute] != value:
            yield f"Until: {minute // 60:02d}:{minute % 60:02d}"
            yield value
