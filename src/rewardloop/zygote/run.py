"""One run of EnergyPlus, stopped after warm-up and after every zone time step to trade a reading for a command.

Standard library and the package that carries EnergyPlus, no more: this is what the simulator's processes load. Who stands at the
other end (a trainer's socket, another thread) is the hand-off's business.
"""

from __future__ import annotations

import difflib
import math
from array import array
from collections.abc import Callable, Iterable
from ctypes import c_void_p
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from rewardloop.zygote.plan import Plan
from rewardloop.zygote.tables import Tables

if TYPE_CHECKING:
    from pyenergyplus.api import EnergyPlusAPI

WEATHER_RUN = 3
"""EnergyPlus's number for a run with a weather file, as against one that sizes equipment."""


DICTIONARY = "eplusout.rdd"


class Unresolved(Exception):
    """A name that the building does not have: which list of the plan, where in it, and the nearest that exist."""

    def __init__(self, kind: str, index: int, near: list[str]) -> None:
        super().__init__(kind, index, near)
        self.kind, self.index, self.near = kind, index, near


class HandOff(Protocol):
    """Laws: `ready` is asked once, after warm-up, `step` after every time step; either waits for a command, or says stop (None)."""

    def ready(self, reading: bytes) -> bytes | None: ...

    def step(self, reading: bytes) -> bytes | None: ...


class Run:
    """`go` returns EnergyPlus's exit code, or raises what went wrong in a callback, which EnergyPlus itself would swallow."""

    def __init__(self, plan: Plan, hand_off: HandOff, library: EnergyPlusAPI, tables: Tables | None = None) -> None:
        self._plan, self._hand_off, self._library, self._tables = plan, hand_off, library, tables
        self._live = False
        self._failure: BaseException | None = None
        self._variables: list[int] = []
        self._meters: list[int] = []
        self._actuators: list[int] = []
        self._set = b""
        self._held: list[bytes] = []

    def go(self, model: Path, weather: Path, directory: Path) -> int:
        library, address = self._library, int(self._library.state_manager.new_state())
        state = c_void_p(address)
        keep = self._register(state)
        try:
            if self._tables is not None:
                self._tables.fold(address)
            library.runtime.set_console_output_status(state, False)
            for name, key in self._plan.variables:
                library.exchange.request_variable(state, name, key)
            code = int(library.runtime.run_energyplus(state, ["-w", str(weather), "-d", str(directory), str(model)]))
        finally:
            if self._tables is not None:
                self._tables.unfold()
            library.state_manager.delete_state(state)
            del keep
        if isinstance(self._failure, Unresolved) and self._failure.kind == "variables":
            raise Unresolved("variables", self._failure.index, self._nearest_variables(self._failure.index, directory))
        if self._failure is not None:
            raise self._failure
        return code

    def _register(self, state: c_void_p) -> list[object]:
        """Our callbacks, straight into the library: the package's own registry would keep them for good."""
        core, kind, keep = self._library.api, self._library.runtime.py_state_callback_type, []
        for name, function in (
            ("callbackAfterNewEnvironmentWarmupComplete", self._warmed_up),
            ("callbackEndOfZoneTimeStepAfterZoneReporting", self._stepped),
        ):
            pointer = kind(self._guarded(function))
            keep.append(pointer)
            getattr(core, name)(state, pointer)
        return keep

    def _guarded(self, function: Callable[[int], None]) -> Callable[[int], None]:
        def guarded(state: int) -> None:
            try:
                function(state)
            except BaseException as error:
                self._failure, self._live = error, False
                self._library.api.stopSimulation(state)

        return guarded

    def _warmed_up(self, state: int) -> None:
        if self._library.exchange.kind_of_sim(c_void_p(state)) != WEATHER_RUN:
            return
        self._resolve(c_void_p(state))
        self._live = True
        self._obey(state, self._hand_off.ready(self._reading(state)))

    def _stepped(self, state: int) -> None:
        if not self._live:
            return
        reading = self._reading(state)
        if self._plan.hold > 1:
            self._held.append(reading)
            if len(self._held) < self._plan.hold:
                return
            reading = b"".join(self._held)
            self._held.clear()
        self._obey(state, self._hand_off.step(reading))

    def _reading(self, state: int) -> bytes:
        variable, meter = self._library.api.getVariableValue, self._library.api.getMeterValue
        values = [variable(state, handle) for handle in self._variables]
        values += [meter(state, handle) for handle in self._meters]
        return array("d", values).tobytes()

    def _obey(self, state: int, command: bytes | None) -> None:
        core = self._library.api
        if command is None:
            self._live = False
            core.stopSimulation(state)
            return
        if command == self._set:
            return
        self._set = command
        for handle, value in zip(self._actuators, array("d", command), strict=True):
            if math.isnan(value):
                core.resetActuator(state, handle)
            else:
                core.setActuatorValue(state, handle, value)

    def _resolve(self, state: c_void_p) -> None:
        exchange, plan = self._library.exchange, self._plan
        self._variables = [exchange.get_variable_handle(state, *names) for names in plan.variables]
        self._meters = [self._meter(state, name) for name in plan.meters]
        self._actuators = [exchange.get_actuator_handle(state, *names) for names in plan.actuators]
        for kind, handles in (("variables", self._variables), ("meters", self._meters), ("actuators", self._actuators)):
            if -1 in handles:
                index = handles.index(-1)
                raise Unresolved(kind, index, self._nearest(state, kind, index))

    def _meter(self, state: c_void_p, name: str) -> int:
        """The library takes its first meter, whose handle is 0, for none; so that one is looked for by name."""
        exchange = self._library.exchange
        if (handle := int(exchange.get_meter_handle(state, name))) != -1:
            return handle
        first = next((point.key for point in exchange.get_api_data(state) if point.what == "OutputMeter"), "")
        return 0 if first.casefold() == name.casefold() else -1

    def _nearest(self, state: c_void_p, kind: str, index: int) -> list[str]:
        """What the building offers that is spelled most alike; of variables it offers only those that were asked for."""
        if kind == "variables":
            return []
        what = {"meters": "OutputMeter", "actuators": "Actuator"}[kind]
        points = self._library.exchange.get_api_data(state)
        known = {_spelled(kind, point.name, point.type, point.key) for point in points if point.what == what}
        names = getattr(self._plan, kind)[index]
        wanted = names if isinstance(names, str) else " / ".join(names)
        return _alike(wanted, known)

    def _nearest_variables(self, index: int, directory: Path) -> list[str]:
        """From the list that EnergyPlus writes when a run ends. It has names without keys: a known name has a wrong key."""
        written = directory / DICTIONARY
        lines = written.read_text(errors="replace").splitlines() if written.exists() else []
        known = {line.split(",")[2].strip() for line in lines if line.startswith("Output:Variable,")}
        name = self._plan.variables[index][0]
        return [] if name.casefold() in {one.casefold() for one in known} else _alike(name, known)


def _alike(word: str, known: Iterable[str]) -> list[str]:
    folded = {name.casefold(): name for name in known}
    return [folded[near] for near in difflib.get_close_matches(word.casefold(), list(folded), n=3, cutoff=0.5)]


def _spelled(kind: str, name: str, control: str, key: str) -> str:
    return key if kind == "meters" else f"{name} / {control} / {key}"
