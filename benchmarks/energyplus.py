"""EnergyPlus through rewardloop beside EnergyPlus by itself: what a step adds, a reset takes, another environment weighs.

`raw` counts its steps and writes nothing; `by_hand` reads the same sensors through the package's documented calls.
`python -m benchmarks.energyplus [--days 14]`
"""

from __future__ import annotations

import json
import os
import statistics
import time

from cyclopts import App

from benchmarks.energyplus_steps import DAY, steps
from benchmarks.processes import descendants, family_mb, pss_mb
from rewardloop.simulators.energyplus import EnergyPlusEnv, Simulator, bundled, made

app = App()


@app.default
def main(days: int = 14) -> None:
    """JSON: one section a building."""
    found = {name: measured(name, days) for name in ("DataCenter-1Zone", "LargeOffice")}
    print(json.dumps({**found, "thousand_resets": thousand_resets()}, indent=1))


def measured(name: str, days: int) -> dict[str, float]:
    with Simulator(bundled(name)) as simulator:
        resets = [timed_reset(simulator) for _ in range(50)]
        weight = pss_of_another(simulator)
    return {
        **steps(name, days),
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


if __name__ == "__main__":
    app()
