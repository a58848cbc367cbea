"""Serving over HTTP: decisions a CPU-second of the server, and latency. `python -m benchmarks.serve [--seconds 4]` prints JSON.

One worker, trained models, everything logged before it is answered. CPU time is the server's own (user and system, all its
processes), read from /proc, so the load generator on the other core does not count. Each load runs three times and the median
is told; latency depends on what else the machine does. `over_flask` is against the peer of `benchmarks.peer`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import load
from benchmarks.offers import batches, catalogue, differing, fixed, host, offered, shared_catalogue
from benchmarks.peer import peer
from rewardloop.clock import SystemClock
from rewardloop.features import fixed_actions, parse_actions
from rewardloop.registry.catalog import Catalog
from rewardloop.settings import ExperimentSettings, LogSettings, PolicySettings

ARMS = ExperimentSettings(experiment="arms", actions=10)
ARMS_VW = ExperimentSettings(experiment="arms_vw", actions=10, policy=PolicySettings(exploration="regcbopt"))
DISK = ExperimentSettings(experiment="disk", actions=10, log=LogSettings(durability="disk"))
ARTICLES = ExperimentSettings(experiment="articles")

_TICK = os.sysconf("SC_CLK_TCK")
_RUNS = 3

Process = tuple[int, int]
"""Process id, and the port it listens on."""


@contextmanager
def server(data: Path) -> Iterator[Process]:
    code = (
        "import sys; from pathlib import Path; from rewardloop.serving.supervisor import serve;"
        "serve(Path(sys.argv[1]), '127.0.0.1', 0, 1, lambda port: print(port, flush=True))"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(data)], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.pid, int(process.stdout.readline())
        finally:
            process.terminate()


def cpu_seconds(parent: int) -> float:
    """User and system time of a process and its workers."""
    workers = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    ticks = 0
    for pid in (parent, *map(int, workers)):
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / _TICK


class Bench:
    """Loads one process; `seconds` are shared by the runs of a load."""

    def __init__(self, process: Process, seconds: float) -> None:
        self._pid, self._port = process
        self._seconds = seconds / _RUNS

    def measure(
        self, path: str, bodies: Sequence[bytes], connections: int = 64, size: int = 1, rate: float = 0.0
    ) -> dict[str, Any]:
        """The run with the median CPU time; `size` decisions a request."""
        requests = [load.post(path, body) for body in bodies]
        load.run(self._port, requests, connections, 0.3)
        runs = sorted((self._once(requests, connections, size, rate) for _ in range(_RUNS)), key=lambda run: run["cpu_us"])
        return runs[_RUNS // 2]

    def _once(self, requests: Sequence[bytes], connections: int, size: int, rate: float) -> dict[str, Any]:
        before = cpu_seconds(self._pid)
        seen = load.run(self._port, requests, connections, self._seconds, rate)
        used, done = cpu_seconds(self._pid) - before, size * len(seen.latencies)
        return {"per_cpu_second": round(done / used), "cpu_us": round(1e6 * used / done, 2), **seen.summary()}


def prepare(data: Path, actions: bytes) -> None:
    """Registers the experiments, and hosts a trained model for each."""
    with Catalog(data) as catalog:
        for settings in (ARMS, ARMS_VW, DISK, ARTICLES):
            catalog.register(settings, SystemClock().now())
    for settings in (ARMS, ARMS_VW, DISK):
        host(data, settings, fixed_actions(settings.action_ids or ()), 10)
    host(data, ARTICLES, parse_actions(actions), 20)


def run(process: Process, rng: np.random.Generator, actions: bytes, seconds: float) -> dict[str, dict[str, Any]]:
    """Every load of our own server."""
    bench, decide = Bench(process, seconds), "/v1/experiments/{}/decide".format
    arms, shop, own = fixed(rng, 5_000), catalogue(rng, actions, 5_000), differing(rng, 10_000)
    rewards = [b'{"event_id":"own-%d","experiment":"arms","reward":1}' % i for i in range(5_000)]
    found = {
        "arms": bench.measure(decide("arms"), arms),
        "arms_one_connection": bench.measure(decide("arms"), arms, connections=1),
        "arms_batch": bench.measure(decide("arms") + "/batch", batches(arms), 8, 100),
        "arms_vw": bench.measure(decide("arms_vw"), arms),
        "arms_disk": bench.measure(decide("disk"), arms),
        "articles": bench.measure(decide("articles"), shop),
        "articles_batch": bench.measure(decide("articles") + "/batch", shared_catalogue(rng, actions, 5_000), 8, 100),
        "articles_repeated_batch": bench.measure(decide("articles") + "/batch", batches(shop), 8, 100),
        "articles_differing": bench.measure(decide("articles"), own),
        "articles_differing_batch": bench.measure(decide("articles") + "/batch", batches(own), 8, 100),
        "reward": bench.measure("/v1/rewards", rewards),
    }
    found["arms_half_rate"] = bench.measure(decide("arms"), arms, rate=found["arms"]["per_second"] / 2)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=6.0, help="for each load")
    seconds = parser.parse_args().seconds
    rng = np.random.default_rng(0)
    actions = offered(rng)
    with tempfile.TemporaryDirectory() as temporary:
        prepare(Path(temporary), actions)
        with server(Path(temporary)) as process:
            found = run(process, rng, actions, seconds)
    with peer() as process:
        found["flask"] = Bench(process, seconds).measure("/decide", fixed(rng, 1_000), connections=4)
    found["arms_vw"]["over_flask"] = round(found["arms_vw"]["per_cpu_second"] / found["flask"]["per_cpu_second"], 2)
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
