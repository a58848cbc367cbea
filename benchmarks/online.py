"""Online learning: how long from a reward's acknowledgement until a decision is served by a model that learned from it?

    python -m benchmarks.online [--rewards 2000]

A real server and a real loop in online mode, publishing every 100 ms. Decisions are made and rewarded all the time, about 200 a
second; beside that the server is asked which model answers, and each new model's manifest says how many events it has learned.
Rewards are learned in the order they were acknowledged, so that tells which are in it. Prints a JSON document.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

import numpy as np
from cyclopts import App

from rewardloop import Client, ExperimentSettings
from rewardloop.demo.processes import looping, serving
from rewardloop.registry.layout import DataDirectory
from rewardloop.registry.models import ModelStore
from rewardloop.settings import Duration, TrainingSettings, example_yaml

app = App()


@app.default
def main(rewards: int = 2_000) -> None:
    training = TrainingSettings(mode="online", every=Duration(3_600_000_000), every_events=1_000_000, ratio=1.0)
    settings = ExperimentSettings(experiment="online", actions=7, training=training)
    with TemporaryDirectory() as folder:
        at = Path(folder)
        (at / "online.yaml").write_text(example_yaml(settings))
        store = ModelStore(DataDirectory(at / "data").experiment("online").models)
        with (
            serving(at / "online.yaml", at / "data", at / "serve.log") as server,
            looping(at / "online.yaml", at / "data", at / "run.log"),
        ):
            url = server.url()
            acknowledged: list[float] = []
            stream = Thread(target=_reward, args=[url, rewards, acknowledged], daemon=True)
            stream.start()
            print(json.dumps(_watch(url, store, rewards, acknowledged), indent=2))


def _reward(url: str, n: int, acknowledged: list[float]) -> None:
    generator = np.random.default_rng(0)
    with Client(url, "online") as client:
        for _ in range(n):
            decision = client.decide(_context(generator))
            client.reward(decision.event_id, float(decision.index == 0))
            acknowledged.append(time.perf_counter())
            time.sleep(generator.exponential(0.004))


def _watch(url: str, store: ModelStore, n: int, acknowledged: list[float]) -> dict[str, float]:
    """Waits of all rewards but those that came before the learner was up."""
    context = _context(np.random.default_rng(1))
    served = [float("nan")] * n
    learned, model_id = 0, ""
    with Client(url, "online") as client:
        while learned < n:
            answered = client.decide(context).model_id
            now = time.perf_counter()
            if answered != model_id and "+" in answered:
                model_id = answered
                upto = store.open(model_id)[0].n_trained
                served[learned:upto] = [now] * (upto - learned)
                learned = upto
            time.sleep(0.002)
    waits = 1e3 * (np.array(served) - np.array(acknowledged))[n // 4 :]
    p50, p99 = np.percentile(waits, [50, 99])
    return {"rewards": len(waits), "p50_ms": p50, "p99_ms": p99, "max_ms": float(waits.max())}


def _context(generator: np.random.Generator) -> dict[str, float]:
    return {f"x{i}": float(value) for i, value in enumerate(generator.normal(size=9))}


if __name__ == "__main__":
    app()
