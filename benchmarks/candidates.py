"""Ten thousand candidates, others in every request: milliseconds of CPU to read, decide and encode the record, in process.

    python -m benchmarks.candidates [--requests 11] [--explorations regcbopt] [--shortlist 200]

Three features each, two numbers and a word; a context of two numbers and a word. Each policy has learned from 600 decisions among
ten; Vowpal Wabbit's with and without a shortlist. The garbage collector is set as a worker sets it. Prints a JSON document: the
median, the least, and by how much the process has grown since the second request, a process for each.
"""

from __future__ import annotations

import gc
import json
import resource
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import msgspec
import numpy as np
from cyclopts import App

from rewardloop.actions import ActionSet, parse_actions
from rewardloop.clock import SystemClock
from rewardloop.deciding.asking import DecideRequest
from rewardloop.deciding.decider import Decider
from rewardloop.deciding.hosted import Hosted
from rewardloop.features import Features
from rewardloop.ids import EventIds
from rewardloop.interactions import Interactions
from rewardloop.policies import Policy, new_policy
from rewardloop.settings import ExperimentSettings, PolicySettings, RewardSettings
from rewardloop.settings.schema import Exploration

N_CANDIDATES, N_LEARNED, N_OFFERED = 10_000, 600, 10
EXPLORATIONS: tuple[Exploration, ...] = ("lints", "egreedy", "regcbopt", "squarecb", "bag", "cover")

app = App()


def catalogue(rng: np.random.Generator, n: int) -> list[dict[str, object]]:
    numbers, genres, ids = (
        rng.normal(size=(n, 2)).round(4).tolist(),
        rng.integers(8, size=n).tolist(),
        rng.integers(1 << 30, size=n),
    )
    return [
        {"id": f"i{name}-{i}", "features": {"price": price, "age": age, "genre": f"g{genre}"}}
        for i, (name, (price, age), genre) in enumerate(zip(ids.tolist(), numbers, genres, strict=True))
    ]


def context(rng: np.random.Generator) -> Features:
    return {"x": float(rng.normal()), "y": float(rng.normal()), "segment": f"s{rng.integers(5)}"}


def trained(settings: ExperimentSettings, rng: np.random.Generator) -> Policy:
    n, k = N_LEARNED, N_OFFERED
    sets: list[ActionSet] = [parse_actions(msgspec.json.encode(catalogue(rng, k))) for _ in range(n)]
    policy = new_policy(settings, 0)
    policy.learn(
        Interactions(
            event_ids=[str(i) for i in range(n)],
            contexts=[context(rng) for _ in range(n)],
            actions=sets,
            action=rng.integers(0, k, n),
            probability=np.full(n, 1 / k),
            reward=(rng.random(n) < 0.3).astype(float),
            pmf=np.full(n * k, 1 / k),
            offsets=np.arange(0, n * k + 1, k),
            sample_prob=rng.random(n),
            closed_at=np.arange(n),
        )
    )
    return policy


def measure(exploration: Exploration, shortlist: int | None, requests: int) -> dict[str, float]:
    rng = np.random.default_rng(0)
    policy = PolicySettings(exploration=exploration, shortlist=shortlist)
    settings = ExperimentSettings(experiment="catalogue", policy=policy, reward=RewardSettings(range=(0.0, 1.0)))
    decide = _deciding(settings, trained(settings, rng))
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    spent, grown = [], []
    for _ in range(requests + 1):
        body = msgspec.json.encode({"context": context(rng), "actions": catalogue(rng, N_CANDIDATES)})
        began = time.process_time()
        record = decide(body)
        spent.append(1e3 * (time.process_time() - began))
        grown.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3)
    measured = {"median_ms": float(np.median(spent[1:])), "least_ms": min(spent[1:]), "body_kb": len(body) / 1e3}
    return measured | {"record_kb": len(record) / 1e3, "resident_mb": grown[-1], "grown_mb": grown[-1] - grown[1]}


def _deciding(settings: ExperimentSettings, policy: Policy) -> Callable[[bytes], bytes]:
    clock = SystemClock()
    hosted = Hosted("catalogue.1", policy, settings.policy.floor, draws=settings.draws)
    decider = Decider(settings, 0, EventIds(clock, key=1, start=1), clock)
    decode, encode = msgspec.json.Decoder(DecideRequest).decode, msgspec.msgpack.Encoder().encode
    return lambda body: encode(decider.decide(hosted, decode(body))[0])


@app.default
def main(requests: int = 11, explorations: tuple[Exploration, ...] = EXPLORATIONS, shortlist: int = 200) -> None:
    results: dict[str, dict[str, float]] = {}
    for exploration in explorations:
        for size in (None,) if exploration in ("lints", "linucb") else (None, shortlist):
            with ProcessPoolExecutor(1, get_context("spawn")) as alone:
                name = exploration if size is None else f"{exploration}, shortlist of {size}"
                results[name] = alone.submit(measure, exploration, size, requests).result()
    print(json.dumps(results, indent=1))


if __name__ == "__main__":
    app()
