"""EnergyPlus through rewardloop beside EnergyPlus by itself: what a step adds, a reset takes, another environment weighs.

CPU time is that of all processes concerned: the trainer's and the episode's. The raw run has no callback at all and writes nothing.
`python -m benchmarks.energyplus [--days 14]`
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from cyclopts import App
from pyenergyplus.dataset import weather_files

from rewardloop.simulators.energyplus import EnergyPlusEnv, Simulator, bundled, made
from rewardloop.simulators.energyplus.buildings.catalogue import building
from rewardloop.zygote.model import prepared, steps_an_hour, write_run

TICK = os.sysconf("SC_CLK_TCK")
DAY = 198
RAW = (
    "import sys; from pyenergyplus.api import EnergyPlusAPI as A; a = A(); s = a.state_manager.new_state();"
    "a.runtime.set_console_output_status(s, False); sys.exit(a.runtime.run_energyplus(s, sys.argv[1:]))"
)

app = App()


@app.default
def main(days: int = 14, repeats: int = 3) -> None:
    """JSON: one section a building."""
    found = {name: measured(name, days, repeats) for name in ("DataCenter-1Zone", "LargeOffice")}
    print(json.dumps({**found, "thousand_resets": thousand_resets()}, indent=1))


def measured(name: str, days: int, repeats: int) -> dict[str, float]:
    with Simulator(bundled(name)) as simulator:
        resets = [timed_reset(simulator) for _ in range(50)]
        weight = pss_of_another(simulator)
    raw = min(raw_step_us(name, days) for _ in range(repeats))
    ours = min(step_us(name, days) for _ in range(repeats))
    return {
        "raw_step_us": raw,
        "step_us": ours,
        "overhead_percent": 100 * (ours / raw - 1),
        "reset_p50_ms": 1000 * statistics.median(resets[1:]),
        "first_reset_ms": 1000 * resets[0],
        "pss_of_another_mb": weight,
        **one_day(name),
    }


def timed_reset(simulator: Simulator) -> float:
    began = time.perf_counter()
    episode = simulator.begin(simulator.specification.weather.train[0], DAY)
    took = time.perf_counter() - began
    episode.close()
    return took


def raw_step_us(name: str, days: int) -> float:
    """CPU a step of EnergyPlus alone: a long run less a run of one day, so that start and warm-up do not count."""
    model = prepared(building(bundled(name).building), bundled(name).steps_an_hour)
    model.pop("Output:VariableDictionary")
    long, short = (raw_cpu_s(model, bundled(name).weather.train[0], n) for n in (days + 1, 1))
    return 1e6 * (long - short) / (days * 24 * steps_an_hour(model))


def raw_cpu_s(model: Any, weather: str, days: int) -> float:
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "in.epJSON"
        write_run(model, DAY, days, path)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", RAW, "-w", weather_files[weather], "-d", place, str(path)], check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def step_us(name: str, days: int) -> float:
    """CPU a step of an environment under the building's own schedules: the trainer's and the simulator's together."""
    env = made(name, days=days + 1)
    env.reset(seed=0, options={"day": DAY, "weather": env.specification.weather.train[0]})
    steps_a_day = env.simulator.n_steps // (days + 1)
    for _ in range(steps_a_day):
        env.step(None)
    process = pid_of(env)
    before = time.process_time() + cpu_s(process)
    for _ in range(days * steps_a_day - 1):
        env.step(None)
    after = time.process_time() + cpu_s(process)
    env.close()
    return 1e6 * (after - before) / (days * steps_a_day - 1)


def one_day(name: str) -> dict[str, float]:
    """Wall time of a whole one-day episode, the reset included, after the first."""
    env = made(name, days=1)
    took = []
    for _ in range(6):
        began = time.perf_counter()
        env.reset(options={"day": DAY, "weather": env.specification.weather.train[0]})
        while not env.step(None)[3]:
            pass
        took.append(time.perf_counter() - began)
    env.close()
    return {"one_day_episode_ms": 1000 * statistics.median(took[1:])}


def pss_of_another(simulator: Simulator, n: int = 8) -> float:
    """Proportional memory of all processes with n + 1 stepped episodes, less that with one, an episode."""
    envs = [EnergyPlusEnv(simulator.specification, simulator=simulator) for _ in range(n + 1)]
    totals = []
    for env in envs:
        env.reset(options={"day": DAY, "weather": simulator.specification.weather.train[0]})
        for _ in range(24 * simulator.steps_an_hour if simulator.n_steps > 24 * simulator.steps_an_hour else 200):
            env.step(None)
        totals.append(sum(map(pss_mb, descendants(os.getpid()))))
    for env in envs:
        env.close()
    return (totals[-1] - totals[0]) / n


def thousand_resets() -> dict[str, float]:
    """What is left of a thousand resets, one step each: processes, descriptors, memory of this process and of the zygote's."""
    with Simulator(bundled("DataCenter-1Zone")) as simulator:
        env = EnergyPlusEnv(simulator.specification, simulator=simulator)
        env.reset(options={"day": DAY})
        before = (len(descendants(os.getpid())), len(os.listdir("/proc/self/fd")), family_mb())
        for _ in range(1000):
            env.reset(options={"day": DAY})
            env.step(None)
        after = (len(descendants(os.getpid())), len(os.listdir("/proc/self/fd")), family_mb())
        env.close()
    names = ("processes", "descriptors", "memory_mb")
    return {f"more_{name}": late - early for name, late, early in zip(names, after, before, strict=True)}


def family_mb() -> float:
    return sum(map(pss_mb, (os.getpid(), *descendants(os.getpid()))))


def pid_of(env: EnergyPlusEnv) -> int:
    """The episode's process: the youngest of ours."""
    return max(descendants(os.getpid()))


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def pss_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("Pss:")).split()[1]) / 1024


def descendants(pid: int) -> set[int]:
    """Alive ones: a zombie has no memory and waits for nobody but its parent."""
    try:
        children = {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}
    except OSError:
        return set()
    alive = {child for child in children if _alive(child)}
    return alive.union(*[descendants(child) for child in alive])


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


if __name__ == "__main__":
    app()
