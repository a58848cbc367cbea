"""Deciding in process, logged durably before it returns: CPU microseconds a decision.

    python -m benchmarks.in_process [--decisions 20000]

Fixed arms: 10 numeric features, 7 arms, LinTS. Actions with features: 20 shared features, 10 actions × 10 features, RegCB. Both
have learned from 1,000 rewarded decisions. Prints a JSON document.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from cyclopts import App

from rewardloop import Experiment, ExperimentSettings
from rewardloop.settings import GateSettings

ARMS, N_ACTIONS, N_LEARNED = 7, 10, 1_000

app = App()


@app.default
def main(decisions: int = 20_000) -> None:
    generator = np.random.default_rng(0)
    offered = [{"id": f"a{i}", "features": features(generator, 10)} for i in range(N_ACTIONS)]
    arms = ExperimentSettings(experiment="arms", actions=ARMS, gate=GateSettings(rule="always"))
    articles = ExperimentSettings(experiment="articles", gate=GateSettings(rule="always"))
    found = {
        "fixed_arms_us": measure(arms, 10, None, decisions, generator),
        "ten_actions_us": measure(articles, 20, offered, decisions, generator),
    }
    print(json.dumps(found, indent=2))


def features(generator: np.random.Generator, n: int) -> dict[str, float]:
    return {f"x{i}": round(float(value), 4) for i, value in enumerate(generator.normal(size=n))}


def measure(
    settings: ExperimentSettings, n_features: int, offered: list[dict[str, object]] | None, n: int, generator: np.random.Generator
) -> float:
    contexts = [features(generator, n_features) for _ in range(2_000)]
    with TemporaryDirectory() as data, Experiment.open(settings, Path(data)) as experiment:
        for context in contexts[:N_LEARNED]:
            decision = experiment.decide(context, offered)
            experiment.reward(decision.event_id, float(decision.action == int(context["x0"] > 0)))
        experiment.turn()
        time.sleep(0.05)  # The next decision looks at the pointer again.
        experiment.decide(contexts[0], offered)
        started = time.process_time()
        for i in range(n):
            experiment.decide(contexts[i % len(contexts)], offered)
        return 1e6 * (time.process_time() - started) / n


if __name__ == "__main__":
    app()
