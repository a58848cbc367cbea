"""Deciding in process, logged durably before it returns: CPU microseconds a decision.

    python -m benchmarks.in_process [--decisions 20000]

Fixed arms: 10 numeric features, 7 arms, LinTS. Actions with features: 20 shared features, 10 actions × 10 features, LinTS, and
`…_vw` Vowpal Wabbit's RegCB. All have learned from 1,000 rewarded decisions. `…_batch_us` are of `decide_many`, 100 at once.
Decisions are made in five rounds, of which the one is told that took the least CPU. Prints a JSON document.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from cyclopts import App

from rewardloop import Experiment, ExperimentSettings
from rewardloop.settings import GateSettings, PolicySettings
from rewardloop.settings.schema import Exploration

ARMS, N_ACTIONS, N_LEARNED, N_BATCH, ROUNDS = 7, 10, 1_000, 100, 5

app = App()


@app.default
def main(decisions: int = 20_000) -> None:
    generator = np.random.default_rng(0)
    offered = [{"id": f"a{i}", "features": features(generator, 10)} for i in range(N_ACTIONS)]
    arms = ExperimentSettings(experiment="arms", actions=ARMS, gate=GateSettings(rule="always"))
    lints, vw = (articles(exploration) for exploration in ("lints", "regcbopt"))
    found = {
        "fixed_arms": measure(arms, 10, None, decisions, generator),
        "ten_actions": measure(lints, 20, offered, decisions, generator),
        "ten_actions_vw": measure(vw, 20, offered, decisions, generator),
    }
    print(json.dumps({f"{name}{kind}_us": us for name, both in found.items() for kind, us in both.items()}, indent=2))


def articles(exploration: Exploration) -> ExperimentSettings:
    policy = PolicySettings(exploration=exploration)
    return ExperimentSettings(experiment="articles", policy=policy, gate=GateSettings(rule="always"))


def features(generator: np.random.Generator, n: int) -> dict[str, float]:
    return {f"x{i}": round(float(value), 4) for i, value in enumerate(generator.normal(size=n))}


def measure(
    settings: ExperimentSettings, n_features: int, offered: list[dict[str, object]] | None, n: int, generator: np.random.Generator
) -> dict[str, float]:
    """One by one, and in batches."""
    contexts = [features(generator, n_features) for _ in range(2_000)]
    with TemporaryDirectory() as data, Experiment.open(settings, Path(data)) as experiment:
        for context in contexts[:N_LEARNED]:
            decision = experiment.decide(context, offered)
            experiment.reward(decision.event_id, float(decision.action == int(context["x0"] > 0)))
        experiment.turn()
        time.sleep(0.05)  # The next decision looks at the pointer again.
        experiment.decide(contexts[0], offered)
        rounds = [one_by_one_and_at_once(experiment, contexts, offered, n // ROUNDS) for _ in range(ROUNDS)]
    single, batch = (min(times) for times in zip(*rounds, strict=True))
    return {"": single, "_batch": batch}


def one_by_one_and_at_once(
    experiment: Experiment, contexts: list[dict[str, float]], offered: list[dict[str, object]] | None, n: int
) -> tuple[float, float]:
    """CPU microseconds a decision, n each way."""
    started = time.process_time()
    for i in range(n):
        experiment.decide(contexts[i % len(contexts)], offered)
    between = time.process_time()
    for i in range(0, n, N_BATCH):
        experiment.decide_many([contexts[(i + j) % len(contexts)] for j in range(N_BATCH)], offered)
    return 1e6 * (between - started) / n, 1e6 * (time.process_time() - between) / n


if __name__ == "__main__":
    app()
