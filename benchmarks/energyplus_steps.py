"""What a step costs: EnergyPlus alone, read by hand, and through the environment, a simulated day of each in turn.

In turns, because a machine that others use too is faster at one moment than at the next; what is compared is a day with the days
next to it. CPU time is that of all processes concerned. The building's own schedules run everywhere, so that all compute the same.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType

from pyenergyplus.dataset import weather_files

from benchmarks.processes import cpu_s, youngest
from rewardloop.simulators.energyplus import bundled, made
from rewardloop.simulators.energyplus.buildings.catalogue import building
from rewardloop.simulators.energyplus.simulator import planned
from rewardloop.simulators.energyplus.timetables import foretold
from rewardloop.zygote.model import prepared, steps_an_hour, write_run
from rewardloop.zygote.plan import MODEL, PLAN

DAY = 198
HOLD = 6
"""Time steps an action lasts in the fourth column, as the offices are trained."""
SCRIPT = Path(__file__).with_name("energyplus_alone.py")


class ByItself:
    """A process of energyplus_alone.py, stopped at the end of a day."""

    def __init__(self, what: str, name: str, days: int) -> None:
        specification = bundled(name)
        model = prepared(building(specification.building), specification.steps_an_hour)
        model.pop("Output:VariableDictionary")
        steps = steps_an_hour(model)
        self.steps_a_day = 24 * steps
        self._place = tempfile.TemporaryDirectory()
        place = Path(self._place.name)
        planned(specification)[0].write(place)
        write_run(foretold(model, specification, steps), DAY, days, place / MODEL)
        energyplus = ["-w", weather_files[specification.weather.train[0]], "-d", str(place), str(place / MODEL)]
        command = [sys.executable, str(SCRIPT), what, str(self.steps_a_day), str(place / PLAN), *energyplus]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._answer()

    def day_s(self) -> float:
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> float:
        assert self._process.stdout is not None
        return float(self._process.stdout.readline())

    def __enter__(self) -> ByItself:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._process.kill()
        self._process.communicate()
        self._place.cleanup()


class Through:
    """The environment: `trainer_s` and `simulator_s` are the CPU of the days so far, in this process and in the episode's."""

    def __init__(self, name: str, days: int, hold: int = 1) -> None:
        self._env = made(name, days=days, hold=hold)
        self._env.reset(seed=0, options={"day": DAY, "weather": self._env.specification.weather.train[0]})
        self._steps_a_day = self._env.simulator.n_steps // days
        self._pid = youngest()
        self.trainer_s: list[float] = []
        self.simulator_s: list[float] = []

    def day_s(self) -> float:
        ours, theirs = time.process_time(), cpu_s(self._pid)
        for _ in range(self._steps_a_day):
            self._env.step(None)
        self.trainer_s.append(time.process_time() - ours)
        self.simulator_s.append(cpu_s(self._pid) - theirs)
        return self.trainer_s[-1] + self.simulator_s[-1]

    def close(self) -> None:
        self._env.close()


def steps(name: str, days: int) -> dict[str, float]:
    """Medians over the days, of µs a time step and of a day's ratio to the one beside it."""
    with ByItself("alone", name, days + 3) as alone, ByItself("by-hand", name, days + 3) as by_hand:
        through, held = Through(name, days + 3), Through(name, days + 3, HOLD)
        through.day_s()
        held.day_s()
        rows = [(alone.day_s(), by_hand.day_s(), through.day_s(), held.day_s()) for _ in range(days)]
        through.close()
        held.close()
    us = 1e6 / alone.steps_a_day
    raw, hand, ours, longer = (list(column) for column in zip(*rows, strict=True))
    return {
        "raw_step_us": us * statistics.median(raw),
        "by_hand_step_us": us * statistics.median(hand),
        "step_us": us * statistics.median(ours),
        "held_step_us": us * statistics.median(longer),
        "trainer_us": us * statistics.median(through.trainer_s[1:]),
        "simulator_us": us * statistics.median(through.simulator_s[1:]),
        "overhead_percent": _percent(ours, raw),
        "by_hand_percent": _percent(hand, raw),
        "held_percent": _percent(longer, raw),
    }


def _percent(what: list[float], raw: list[float]) -> float:
    """The median of what each day took more than the day beside it."""
    return 100 * (statistics.median(one / other for one, other in zip(what, raw, strict=True)) - 1)
