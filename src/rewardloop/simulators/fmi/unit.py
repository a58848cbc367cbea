"""One functional mock-up unit through FMPy: unpacked, loaded, its variables by name, stepped. Real variables, co-simulation."""

from __future__ import annotations

import zipfile
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import fmpy
from fmpy.fmi1 import FMICallException
from fmpy.model_description import read_model_description
from fmpy.simulation import instantiate_fmu

from rewardloop.errors import InvalidInput, SimulatorFailed, did_you_mean
from rewardloop.scratch import Scratch

_LARGEST: Final = 1 << 30
_KEPT: Final = 5


class Unit:
    """An instance. What it says while it works is kept, and quoted when it fails. Native code: it runs with the rights of whoever
    loads it.
    """

    def __init__(self, path: str) -> None:
        self._said: deque[str] = deque(maxlen=_KEPT)
        self._scratch = Scratch()
        self._place = str(self._scratch.path)
        self._fmu: Any = None
        self._started = False
        self._time = 0.0
        try:
            self._description = _described(path, self._place)
            self._fmu = self._loaded(path)
        except BaseException:
            self.close()
            raise
        self._is_third = self._description.fmiVersion.startswith("3")
        self._variables = {one.name: one for one in self._description.modelVariables if one.type in ("Real", "Float64")}

    def references(self, names: Sequence[str], at: str, *, written: bool = False, input: bool = False) -> list[int]:
        """Value references; raises `InvalidInput` with the nearest name for what is not there or cannot be set."""
        known = {name: one for name, one in self._variables.items() if _fits(one, written, input)}
        kind = "an input" if input else "a variable to set at the start" if written else "a variable"
        for name in names:
            if name not in known:
                raise InvalidInput(f"Expected {kind} of the unit, of real numbers, got `{name}`{did_you_mean(name, known)}", at=at)
        return [int(known[name].valueReference) for name in names]

    def start(self, values: Mapping[int, float], first: Mapping[int, float]) -> None:
        """From the beginning: parameters and inputs by reference."""
        try:
            if self._started:
                self._fmu.terminate()
                self._fmu.reset()
            self._started = True
            self._time = 0.0
            if not self._is_third:
                self._fmu.setupExperiment(startTime=0.0)
            self.write(list(values), list(values.values()))
            self._fmu.enterInitializationMode()
            self.write(list(first), list(first.values()))
            self._fmu.exitInitializationMode()
        except FMICallException as error:
            raise self._failed("the start", error) from None

    def step(self, seconds: float) -> None:
        try:
            self._fmu.doStep(currentCommunicationPoint=self._time, communicationStepSize=seconds)
        except FMICallException as error:
            raise self._failed(f"{self._time:g} s", error) from None
        self._time += seconds

    def write(self, references: Sequence[int], values: Sequence[float]) -> None:
        if references:
            (self._fmu.setFloat64 if self._is_third else self._fmu.setReal)(references, values)

    def read(self, references: Sequence[int]) -> list[float]:
        try:
            values: list[float] = (self._fmu.getFloat64 if self._is_third else self._fmu.getReal)(references)
        except FMICallException as error:
            raise self._failed("a reading", error) from None
        return values

    def close(self) -> None:
        """Frees the instance and removes what was unpacked."""
        fmu, self._fmu = self._fmu, None
        if fmu is not None:
            try:
                if self._started:
                    fmu.terminate()
            except FMICallException:
                self._said.clear()
            fmu.freeInstance()
        self._scratch.close()

    def _loaded(self, path: str) -> Any:
        try:
            return instantiate_fmu(self._place, self._description, "CoSimulation", logger=self._hear, require_functions=False)
        except Exception as error:
            heard = f"; it said: {'; '.join(self._said)}" if self._said else ""
            raise InvalidInput(f"The unit {Path(path).name} cannot be loaded here: {error}{heard}", at="$.fmu") from None

    def _hear(self, *said: Any) -> None:
        """The last of a logger's arguments is its message, in FMI 2 and 3."""
        self._said.append(said[-1].decode(errors="replace")[:500] if isinstance(said[-1], bytes) else str(said[-1])[:500])

    def _failed(self, where: str, error: Exception) -> SimulatorFailed:
        heard = f"; it said: {'; '.join(self._said)}" if self._said else ""
        self._started = False
        return SimulatorFailed(f"The unit failed at {where}: {error}{heard}")


def _fits(variable: Any, written: bool, input: bool) -> bool:
    if input:
        return bool(variable.causality == "input")
    if written:
        settable = variable.causality in ("parameter", "structuralParameter", "input") or variable.initial in ("exact", "approx")
        return settable and variable.variability != "constant"
    return True


def _described(path: str, place: str) -> Any:
    """What the unit says of itself, unpacked into a directory of its own."""
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(one.file_size for one in archive.infolist()) > _LARGEST:
                raise ValueError(f"more than {_LARGEST >> 20:,} MiB unpacked")
        fmpy.extract(path, place)
        description = read_model_description(place, validate=False)
    except Exception as error:
        raise InvalidInput(f"Expected a functional mock-up unit at {path}, got: {error}", at="$.fmu") from None
    if not description.fmiVersion.startswith(("2", "3")) or description.coSimulation is None:
        raise InvalidInput(f"Expected FMI 2 or 3 for co-simulation in {path}, got FMI {description.fmiVersion}", at="$.fmu")
    return description
