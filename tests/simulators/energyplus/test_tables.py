"""EnergyPlus's tables of moist air, folded: what it computes keeps its bits, and where they are not as expected they stay."""

from __future__ import annotations

import os
import struct
from ctypes import addressof, c_double, c_void_p, create_string_buffer
from pathlib import Path

import pytest

from buildings_played import JULY
from rewardloop.simulators.energyplus import EnergyPlusEnv, Simulator, bundled
from rewardloop.simulators.energyplus.package import library
from rewardloop.simulators.energyplus.weather import weather_path
from rewardloop.zygote.model import write_run
from rewardloop.zygote.plan import MODEL
from rewardloop.zygote.run import Run
from rewardloop.zygote.tables import Tables

pytestmark = pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="the tables are folded on Linux")
N_FOLDED = 8192
"""Entries of a folded table: arguments whose tags are as far apart share one."""


class Recorder:
    """A hand-off that leaves everything to the schedules and keeps what it reads."""

    def __init__(self, n_steps: int, command: bytes) -> None:
        self.readings: list[bytes] = []
        self._n_steps, self._command = n_steps, command

    def ready(self, reading: bytes) -> bytes | None:
        return self.step(reading)

    def step(self, reading: bytes) -> bytes | None:
        self.readings.append(reading)
        return self._command if len(self.readings) <= self._n_steps else None


def _day(name: str, place: Path, tables: Tables | None) -> list[bytes]:
    with Simulator(bundled(name), "in-process") as simulator:
        plan, weather = simulator.plan, simulator.specification.weather.train[0]
        write_run(simulator._model, 196, 1, place / MODEL)
        released = struct.pack("d", float("nan")) * len(plan.actuators)
        recorder = Recorder(24 * simulator.steps_an_hour - 1, released)
        Run(plan, recorder, library(), tables).go(place / MODEL, weather_path(weather), place)
        return recorder.readings


@pytest.mark.parametrize("name", ["DataCenter-1Zone", "MediumOffice"])
def test_a_day_has_the_same_bits_with_tables_folded_and_as_they_come(name: str, tmp_path: Path) -> None:
    tables = Tables(library())
    folded = _day(name, tmp_path, tables)
    assert len(folded) > 100
    assert not tables.folded  # given back, as the state that is deleted needs
    assert _day(name, tmp_path, None) == folded


def test_arguments_that_share_an_entry_each_get_their_own_value() -> None:
    core, states = library(), [int(library().state_manager.new_state()) for _ in range(2)]
    saturation = core.api["psyPsatFnTemp"]
    saturation.restype, saturation.argtypes = c_double, [c_void_p, c_double]
    (tag,) = struct.unpack("q", struct.pack("d", 21.75))
    shared = [struct.unpack("d", struct.pack("q", tag + (i * N_FOLDED << 28)))[0] for i in range(3)]
    tables = Tables(core)
    tables.fold(states[0])
    assert tables.folded
    values = [[saturation(state, celsius) for celsius in [0.0, *shared, *shared]] for state in states]
    assert values[0] == values[1]
    assert len(set(values[0])) == 1 + len(shared)
    tables.unfold()
    for state in states:
        core.state_manager.delete_state(c_void_p(state))


def test_whatever_does_not_look_like_them_is_left_alone() -> None:
    tables = Tables(library())
    for word in (0, 0x10010, (1 << 47) + 16, (1 << 64) - 4080):
        state = create_string_buffer(struct.pack("Q", word) * 1024)
        before = state.raw
        tables.fold(addressof(state))
        assert not tables.folded
        assert state.raw == before


def test_every_episode_has_pages_of_its_own(hall: EnergyPlusEnv) -> None:
    hall.reset(options=JULY)
    clone = hall.clone_state()
    found = [_tables_of(env._running()._pid) for env in (hall, clone)]  # type: ignore[attr-defined]
    assert all(found)
    assert found[0].isdisjoint(found[1])
    clone.close()


def _tables_of(pid: int) -> set[str]:
    """The files in memory, by their numbers."""
    lines = Path(f"/proc/{pid}/maps").read_text().splitlines()
    return {line.split()[4] for line in lines if "memfd:tables" in line}
