"""Ten thousand candidates, others in every request: milliseconds of CPU to read, decide and encode the record, in process.

    python -m benchmarks.candidates [--requests 11]

Three features each, two numbers and a word; a context of two numbers and a word. Each policy has learned from 600 decisions among
ten. Prints a JSON document: the median, and the least.
"""

from __future__ import annotations

import json
import time

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
EXPLORATIONS: tuple[Exploration, ...] = ("lints", "egreedy", "regcbopt")

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


def measure(exploration: Exploration, requests: int) -> dict[str, float]:
    rng, clock = np.random.default_rng(0), SystemClock()
    settings = ExperimentSettings(
        experiment="catalogue", policy=PolicySettings(exploration=exploration), reward=RewardSettings(range=(0.0, 1.0))
    )
    hosted = Hosted("catalogue.1", trained(settings, rng), settings.policy.floor, draws=settings.draws)
    decider = Decider(settings, 0, EventIds(clock, key=1, start=1), clock)
    decode, encode = msgspec.json.Decoder(DecideRequest).decode, msgspec.msgpack.Encoder().encode
    bodies = [msgspec.json.encode({"context": context(rng), "actions": catalogue(rng, N_CANDIDATES)}) for _ in range(requests + 1)]
    spent = []
    for body in bodies:
        began = time.process_time()
        decision, _ = decider.decide(hosted, decode(body))
        record = encode(decision)
        spent.append(1e3 * (time.process_time() - began))
    sizes = {"body_kb": len(bodies[-1]) / 1e3, "record_kb": len(record) / 1e3}
    return {"median_ms": float(np.median(spent[1:])), "least_ms": min(spent[1:]), **sizes}


@app.default
def main(requests: int = 11) -> None:
    print(json.dumps({exploration: measure(exploration, requests) for exploration in EXPLORATIONS}, indent=1))


if __name__ == "__main__":
    app()
