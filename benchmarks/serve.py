"""Serving over HTTP: decisions a CPU-second of the server, and latency. `python -m benchmarks.serve [--seconds 4]` prints JSON.

One worker, trained models, everything logged before it is answered. CPU time is the server's own (user and system, all its
processes), read from /proc, so the load generator on the other core does not count. Each load runs in five short rounds, and the
one that took the least CPU a decision is told, as `timeit` does: a neighbour only ever adds. Latency depends on what else the
machine does. `arms` and `articles` are decided by `lints`, `…_vw` by Vowpal Wabbit's `regcbopt`. The peer of `benchmarks.peer`
takes turns with ours; `over_flask` is the median of the rounds' ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks import load
from benchmarks.offers import batches, catalogue, differing, fixed, host, offered, shared_catalogue
from benchmarks.peer import peer
from rewardloop.actions import fixed_actions, parse_actions
from rewardloop.clock import SystemClock
from rewardloop.registry.catalog import Catalog
from rewardloop.settings import ExperimentSettings, LogSettings, PolicySettings

ARMS = ExperimentSettings(experiment="arms", actions=10)
ARMS_VW = ExperimentSettings(experiment="arms_vw", actions=10, policy=PolicySettings(exploration="regcbopt"))
DISK = ExperimentSettings(experiment="disk", actions=10, log=LogSettings(durability="disk"))
ARTICLES = ExperimentSettings(experiment="articles", policy=PolicySettings(exploration="lints"))
ARTICLES_VW = ExperimentSettings(experiment="articles_vw", policy=PolicySettings(exploration="regcbopt"))

_TICK = os.sysconf("SC_CLK_TCK")
ROUNDS = 5

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


Seen = dict[str, Any]
"""What one round saw."""


class Call(NamedTuple):
    """What is asked, with bodies to send in turn; `size` decisions a request, as many a second as are answered, or `rate`."""

    path: str
    bodies: Sequence[bytes]
    connections: int = 64
    size: int = 1
    rate: float = 0.0


class Bench:
    """Loads one process; `seconds` are shared by the rounds of a load."""

    def __init__(self, process: Process, seconds: float, rounds: int = ROUNDS) -> None:
        self._pid, self._port = process
        self._seconds = seconds / rounds
        self.rounds = rounds

    def measure(self, call: Call) -> Seen:
        """The round that took the least CPU a decision."""
        self.warm_up(call)
        return least([self.round(call) for _ in range(self.rounds)])

    def warm_up(self, call: Call) -> None:
        load.run(self._port, [load.post(call.path, body) for body in call.bodies], call.connections, 0.3)

    def round(self, call: Call) -> Seen:
        requests = [load.post(call.path, body) for body in call.bodies]
        before = cpu_seconds(self._pid)
        seen = load.run(self._port, requests, call.connections, self._seconds, call.rate)
        used, done = cpu_seconds(self._pid) - before, call.size * len(seen.latencies)
        return {"per_cpu_second": round(done / used), "cpu_us": round(1e6 * used / done, 2), **seen.summary()}


def least(rounds: Sequence[Seen]) -> Seen:
    return min(rounds, key=lambda seen: float(seen["cpu_us"]))


def side_by_side(ours: tuple[Bench, Call], theirs: tuple[Bench, Call]) -> tuple[Seen, Seen, float]:
    """Rounds in turn: the least of each, and the median of how much more CPU theirs took in a pair of them."""
    for bench, call in (ours, theirs):
        bench.warm_up(call)
    pairs = [(ours[0].round(ours[1]), theirs[0].round(theirs[1])) for _ in range(ours[0].rounds)]
    ratio = statistics.median(other["cpu_us"] / own["cpu_us"] for own, other in pairs)
    return least([own for own, _ in pairs]), least([other for _, other in pairs]), ratio


def prepare(data: Path, actions: bytes) -> None:
    """Registers the experiments, and hosts a trained model for each."""
    with Catalog(data) as catalog:
        for settings in (ARMS, ARMS_VW, DISK, ARTICLES, ARTICLES_VW):
            catalog.register(settings, SystemClock().now())
    for settings in (ARMS, ARMS_VW, DISK):
        host(data, settings, fixed_actions(settings.action_ids or ()), 10)
    for settings in (ARTICLES, ARTICLES_VW):
        host(data, settings, parse_actions(actions), 20)


def run(bench: Bench, peer: Bench, rng: np.random.Generator, actions: bytes) -> dict[str, Seen]:
    """Every load of our own server, and the one of the peer."""
    decide = "/v1/experiments/{}/decide".format
    arms, shop, own = fixed(rng, 5_000), catalogue(rng, actions, 5_000), differing(rng, 10_000)
    rewards = [b'{"event_id":"own-%d","experiment":"arms","reward":1}' % i for i in range(5_000)]
    shared = shared_catalogue(rng, actions, 5_000)
    calls = {
        "arms": Call(decide("arms"), arms),
        "arms_one_connection": Call(decide("arms"), arms, connections=1),
        "arms_batch": Call(decide("arms") + "/batch", batches(arms), 8, 100),
        "arms_disk": Call(decide("disk"), arms),
        "articles": Call(decide("articles"), shop),
        "articles_batch": Call(decide("articles") + "/batch", shared, 8, 100),
        "articles_repeated_batch": Call(decide("articles") + "/batch", batches(shop), 8, 100),
        "articles_differing": Call(decide("articles"), own),
        "articles_differing_batch": Call(decide("articles") + "/batch", batches(own), 8, 100),
        "articles_vw": Call(decide("articles_vw"), shop),
        "articles_vw_batch": Call(decide("articles_vw") + "/batch", shared, 8, 100),
        "articles_vw_differing": Call(decide("articles_vw"), own),
        "reward": Call("/v1/rewards", rewards),
    }
    found = {name: bench.measure(call) for name, call in calls.items()}
    found["arms_half_rate"] = bench.measure(Call(decide("arms"), arms, rate=found["arms"]["per_second"] / 2))
    vw, flask = (bench, Call(decide("arms_vw"), arms)), (peer, Call("/decide", arms[:1_000], connections=4))
    found["arms_vw"], found["flask"], ratio = side_by_side(vw, flask)
    found["arms_vw"]["over_flask"] = round(ratio, 2)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=6.0, help="for each load")
    seconds = parser.parse_args().seconds
    rng = np.random.default_rng(0)
    actions = offered(rng)
    with tempfile.TemporaryDirectory() as temporary:
        prepare(Path(temporary), actions)
        with server(Path(temporary)) as ours, peer() as theirs:
            found = run(Bench(ours, seconds), Bench(theirs, seconds), rng, actions)
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
