"""Serving over HTTP: requests a server CPU-second, and latency. `python benchmarks/serve.py [--seconds 4]` prints JSON.

One worker, crash-durable log, trained models. CPU time is the server's own (user and system, all its processes), read from
/proc, so the load generator on the other core does not count. Latency depends on what else the machine does.
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

import msgspec
import numpy as np

import load
from rewardloop.clock import SystemClock
from rewardloop.features import ActionSet, Features, fixed_actions, parse_actions
from rewardloop.interactions import Interactions
from rewardloop.policies import new_policy
from rewardloop.registry.catalog import Catalog
from rewardloop.registry.hosting import Hosted, write_hosted
from rewardloop.registry.layout import DataDirectory
from rewardloop.registry.models import ModelStore
from rewardloop.registry.records import ModelRecord
from rewardloop.settings import ExperimentSettings

ARMS = ExperimentSettings(experiment="arms", actions=10)
ARTICLES = ExperimentSettings(experiment="articles")

_TICK = os.sysconf("SC_CLK_TCK")


def features(rng: np.random.Generator, n: int) -> Features:
    return {f"x{i}": float(value) for i, value in enumerate(rng.normal(size=n).round(4))}


def offered(rng: np.random.Generator) -> bytes:
    return msgspec.json.encode([{"id": f"a{i}", "features": features(rng, 10)} for i in range(10)])


def host(data: Path, settings: ExperimentSettings, actions: ActionSet, n_features: int) -> None:
    """Trains on a thousand random interactions, and hosts the model."""
    rng, n, k = np.random.default_rng(1), 1_000, len(actions)
    policy = new_policy(settings, 0)
    policy.learn(
        Interactions(
            event_ids=[str(i) for i in range(n)],
            contexts=[features(rng, n_features) for _ in range(n)],
            actions=[actions] * n,
            action=rng.integers(0, k, n),
            probability=np.full(n, 1 / k),
            reward=rng.random(n).round(),
            pmf=np.full(n * k, 1 / k),
            offsets=np.arange(0, n * k + 1, k),
            sample_prob=rng.random(n),
            closed_at=np.arange(n),
        )
    )
    directory = DataDirectory(data).experiment(settings.experiment)
    store = ModelStore(directory.models)
    stage = store.stage()
    policy.save(stage)
    record = ModelRecord(
        model_id=f"{settings.experiment}.1", experiment=settings.experiment, parent=None, created_at=0, watermark=0,
        dataset="", n_trained=n, settings=settings, metrics={}, golden=(), files={},
    )  # fmt: skip
    store.commit(stage, record)
    write_hosted(directory.hosted, Hosted(model_id=record.model_id))


@contextmanager
def server(data: Path) -> Iterator[tuple[int, int]]:
    """Process id of the supervisor, and the port."""
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


def cpu_seconds(supervisor: int) -> float:
    """User and system time of the supervisor and its workers."""
    workers = Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split()
    ticks = 0
    for pid in (supervisor, *map(int, workers)):
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / _TICK


def measure(process: tuple[int, int], requests: Sequence[bytes], per_request: int, connections: int, seconds: float) -> object:
    """One load; `per_request` decisions each."""
    supervisor, port = process
    load.run(port, requests, connections, 0.5)
    before = cpu_seconds(supervisor)
    seen = load.run(port, requests, connections, seconds)
    used = cpu_seconds(supervisor) - before
    done = per_request * len(seen.latencies)
    return {"per_cpu_second": round(done / used), "cpu_us": round(1e6 * used / done, 2), **seen.summary()}


def bodies(rng: np.random.Generator, n_features: int, actions: bool, n: int) -> list[bytes]:
    """Requests with contexts that differ; `actions` differ as well, from request to request."""
    made = []
    for _ in range(n):
        context = b'"context":' + msgspec.json.encode(features(rng, n_features))
        made.append(b"{" + context + (b',"actions":' + offered(rng) if actions else b"") + b"}")
    return made


def batches(singles: Sequence[bytes], size: int = 100) -> list[bytes]:
    return [b'{"requests":[' + b",".join(singles[i : i + size]) + b"]}" for i in range(0, len(singles), size)]


def same_offer(rng: np.random.Generator, actions: bytes, n: int) -> list[bytes]:
    """Requests that all offer the same actions, as a catalogue does."""
    return [b'{"context":' + msgspec.json.encode(features(rng, 20)) + b',"actions":' + actions + b"}" for _ in range(n)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=4.0)
    seconds = parser.parse_args().seconds
    rng = np.random.default_rng(0)
    catalogue = offered(rng)
    with tempfile.TemporaryDirectory() as temporary:
        data = Path(temporary)
        with Catalog(data) as catalog:
            for settings in (ARMS, ARTICLES):
                catalog.register(settings, SystemClock().now())
        host(data, ARMS, fixed_actions(ARMS.action_ids or ()), 10)
        host(data, ARTICLES, parse_actions(catalogue), 20)
        arms, articles = "/v1/experiments/arms/decide", "/v1/experiments/articles/decide"
        one, differing, same = bodies(rng, 10, False, 5_000), bodies(rng, 20, True, 1_000), same_offer(rng, catalogue, 5_000)
        rewards = [b'{"event_id":"own-%d","experiment":"arms","reward":1}' % i for i in range(5_000)]
        runs = {
            "decide, 10 arms, 10 features": (arms, one, 1, 64),
            "decide, 10 arms, one connection": (arms, one, 1, 1),
            "decide, batches of 100, 10 arms": (f"{arms}/batch", batches(one), 100, 8),
            "decide, 10 actions of 10 features + 20 shared, actions differ": (articles, differing, 1, 64),
            "decide, same, a catalogue": (articles, same, 1, 64),
            "decide, batches of 100, actions differ": (f"{articles}/batch", batches(differing), 100, 8),
            "decide, batches of 100, a catalogue": (f"{articles}/batch", batches(same), 100, 8),
            "reward": ("/v1/rewards", rewards, 1, 64),
        }
        with server(data) as process:
            for name, (path, given, per_request, connections) in runs.items():
                requests = [load.post(path, body) for body in given]
                print(json.dumps({name: measure(process, requests, per_request, connections, seconds)}), flush=True)


if __name__ == "__main__":
    main()
