"""A remote environment beside the same one at home: steps a second and CPU a step, at both ends. Loopback, one simulator.

`python -m benchmarks.remote [--steps 5000]`
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from cyclopts import App

from rewardloop.rl.environments import EnvSpec, make_env

ENV = "CartPole-v1"
TICK = os.sysconf("SC_CLK_TCK")
app = App()


@app.default
def main(steps: int = 5000) -> None:
    """JSON: microseconds of CPU a step, steps a second of wall time."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "rewardloop", "rl", "simulate", "--env", ENV, "--to", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            there = make_env(EnvSpec(f"remote:{port}"))
            played(there, 200)
            before = cpu_s(process.pid)
            found = played(there, steps)
            found["simulator_us"] = 1e6 * (cpu_s(process.pid) - before) / steps
            there.close()
        finally:
            process.kill()
    here = make_env(EnvSpec(ENV))
    played(here, 200)
    local = played(here, steps)
    print(json.dumps({**found, "at_home_us": local["trainer_us"], "at_home_steps_a_second": local["steps_a_second"]}, indent=1))


def played(env: Any, steps: int) -> dict[str, float]:
    env.reset(seed=0)
    began, cpu = time.perf_counter(), time.process_time()
    for i in range(steps):
        _, _, terminated, truncated, _ = env.step(i % 2)
        if terminated or truncated:
            env.reset()
    used, took = time.process_time() - cpu, time.perf_counter() - began
    return {"trainer_us": 1e6 * used / steps, "steps_a_second": steps / took}


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


if __name__ == "__main__":
    app()
