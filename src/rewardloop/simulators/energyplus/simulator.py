"""A building ready to be simulated, as often as one likes: one per specification, shared by any number of environments.

Where processes can be forked, one zygote and its templates stand behind it; elsewhere each episode runs in this process.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import asdict
from json import dumps
from pathlib import Path
from typing import Literal

from rewardloop.errors import InvalidInput, InvalidSettings, SimulatorHung, did_you_mean
from rewardloop.scratch import Scratch
from rewardloop.simulators.energyplus.buildings.catalogue import building
from rewardloop.simulators.energyplus.episode import Episode, RequestLost, request
from rewardloop.simulators.energyplus.in_process import InProcessEpisode
from rewardloop.simulators.energyplus.specification import Specification
from rewardloop.simulators.energyplus.timetables import foretold, key_of
from rewardloop.simulators.energyplus.unresolved import UnknownName
from rewardloop.simulators.energyplus.weather import weather_path
from rewardloop.zygote.model import prepared, steps_an_hour
from rewardloop.zygote.plan import MODEL, Plan
from rewardloop.zygote.wire import LARGEST, Start, pair

Mode = Literal["auto", "fork", "in-process"]
CLOSING_S = 10.0
_HUGE_PAGES = ("env", "GLIBC_TUNABLES=glibc.malloc.hugetlb=1")
"""EnergyPlus holds 200 MB in small blocks; in huge pages a fork copies a table a hundredth as long."""


class Simulator:
    """Begins episodes. `mode`: fork needs Linux, in-process works anywhere, auto takes what there is.

    Raises `InvalidSettings` for a building or a weather file that is not there. Close it, or use it as a context.
    """

    def __init__(self, specification: Specification, mode: Mode = "auto") -> None:
        self.specification = specification
        self.plan, self.columns = planned(specification)
        for use in ("train", "test"):
            for index, name in enumerate(getattr(specification.weather, use)):
                weather_path(name, f"$.weather.{use}[{index}]")
        model = prepared(building(specification.building), specification.steps_an_hour)
        self.steps_an_hour = steps_an_hour(model)
        self._check_hold()
        self._model = foretold(model, specification, self.steps_an_hour)
        self._forks = mode == "fork" or (mode == "auto" and sys.platform == "linux")
        self._zygote: _Zygote | None = None

    @property
    def n_steps(self) -> int:
        """Actions of an episode."""
        return self.plan.days * 24 * self.steps_an_hour // self.plan.hold

    def _check_hold(self) -> None:
        day, hold = 24 * self.steps_an_hour, self.plan.hold
        if day % hold:
            raise InvalidSettings(f"Expected a number that divides a day's {day} time steps, got {hold}", at="$.episode.hold")
        if (size := 8 * hold * len(self.columns)) > LARGEST:
            raise InvalidSettings(f"Expected readings of at most {LARGEST:,} bytes an action, got {size:,}", at="$.episode.hold")

    def begin(self, weather: str, day: int) -> Episode:
        """An episode that stands after warm-up. Raises `SimulatorFailed`, or `InvalidSettings` for names that do not resolve."""
        if not 1 <= day <= 365:
            raise InvalidInput(f"Expected a day of the year from 1 to 365, got {day}", at="$.day")
        path, limits = weather_path(weather), self.specification.episode
        try:
            if self._forks:
                return self._running.begin(path, day, limits.start_timeout_s, limits.step_timeout_s)
            return InProcessEpisode(self.plan, self._model, path, day, limits.start_timeout_s)
        except UnknownName as error:
            raise self._placed(error) from None
        except SimulatorHung:
            self.close()
            raise

    @property
    def _running(self) -> _Zygote:
        if self._zygote is None:
            self._zygote = _Zygote(self.plan, dumps(self._model))
        return self._zygote

    def _placed(self, error: UnknownName) -> InvalidSettings:
        """The error with its place in the specification."""
        hint = f"; did you mean {' or '.join(f'`{name}`' for name in error.near)}?" if error.near else ""
        if error.kind == "actuators":
            places = [
                (f"$.actions.{name}.actuators[{index}]", " / ".join((one.component, one.control, one.key)))
                for name, action in self.specification.actions.items()
                for index, one in enumerate(action.actuators)
            ]
            place, name = places[error.index]
        else:
            name = self.columns[error.index + (len(self.plan.variables) if error.kind == "meters" else 0)]
            sensor = self.specification.sensors[name]
            place, name = f"$.sensors.{name}", sensor.meter or f"{sensor.variable} / {sensor.key}"
            if error.kind == "variables" and not error.near:  # A variable that is known, of an object that is not.
                hint = did_you_mean(sensor.key, [named for objects in self._model.values() for named in objects])
        return InvalidSettings(f"The building has no {error.kind.removesuffix('s')} `{name}`{hint}", at=place)

    def close(self) -> None:
        """Ends the zygote and all it began; waits for it to have removed its files."""
        if self._zygote is not None:
            self._zygote.close()
            self._zygote = None

    def __enter__(self) -> Simulator:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Zygote:
    """The process of zygote.py and our end of its socket."""

    def __init__(self, plan: Plan, model: str) -> None:
        self._scratch = scratch = Scratch()
        try:
            plan.write(scratch.path)
            (scratch.path / MODEL).write_text(model)
            self._control, theirs = pair()
            with theirs:
                command = ["-P", "-m", "rewardloop.zygote", str(scratch.path), str(theirs.fileno()), str(scratch.descriptor)]
                self._process = subprocess.Popen(
                    [*_HUGE_PAGES, sys.executable, *command],
                    pass_fds=[theirs.fileno(), scratch.descriptor],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,
                )
        except BaseException:
            scratch.close()
            raise
        scratch.let_go()

    def begin(self, weather: Path, day: int, start_timeout_s: float, step_timeout_s: float) -> Episode:
        message = dumps(asdict(Start(str(weather), day))).encode()
        try:
            return request(self._control, message, start_timeout_s, step_timeout_s)
        except RequestLost:  # by now the template is known to be gone, and another one is made
            return request(self._control, message, start_timeout_s, step_timeout_s)

    def close(self) -> None:
        self._control.close()
        try:
            self._process.wait(CLOSING_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._scratch.close()


def planned(it: Specification) -> tuple[Plan, tuple[str, ...]]:
    """What the simulator is told, and the sensors' names in the order of a reading."""
    variables = {name: (sensor.variable, key_of(sensor)) for name, sensor in it.sensors.items() if sensor.variable is not None}
    meters = {name: sensor.meter for name, sensor in it.sensors.items() if sensor.meter is not None}
    plan = Plan(
        tuple(variables.values()),
        tuple(meters.values()),
        tuple((one.component, one.control, one.key) for action in it.actions.values() for one in action.actuators),
        it.episode.days,
        it.episode.hold,
        it.episode.step_timeout_s,
        it.episode.templates,
    )
    return plan, (*variables, *meters)
