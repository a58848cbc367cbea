"""Scoring a file by a Vowpal Wabbit model, against Vowpal Wabbit's own driver on ready-made lines of the same rows.

    python -m benchmarks.scoring [--rows 50000]

Ours reads JSON lines, parses, scales, predicts and writes JSON lines with whole distributions; the peer gets a file of finished
lines and writes predictions. Prints a JSON document.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from cyclopts import App

from benchmarks.training import EXPLORATIONS, N_ARMS, N_FEATURES, settings, timed
from rewardloop.actions import fixed_actions
from rewardloop.deciding.hosted import Hosted
from rewardloop.features import Features
from rewardloop.interactions import Interactions
from rewardloop.loop.scoring import score
from rewardloop.policies.vw.policy import VowpalWabbitPolicy
from rewardloop.settings.schema import Exploration

TRAINED = 20_000

app = App()


@app.default
def main(rows: int = 50_000) -> None:
    print(json.dumps({exploration: compare(exploration, rows) for exploration in EXPLORATIONS}, indent=2))


def compare(exploration: Exploration, n: int) -> dict[str, float]:
    events = logged(max(n, TRAINED))
    policy = VowpalWabbitPolicy.new(settings(exploration), 0)
    policy.learn(events.take(np.arange(TRAINED)))
    events = events.take(np.arange(n))
    with TemporaryDirectory() as name:
        folder = Path(name)
        policy.save(folder)
        (folder / "rows.jsonl").write_text("".join(json.dumps(context) + "\n" for context in events.contexts))
        with (folder / "lines").open("wb") as file:
            for piece in policy._pieces(iter([events])):
                file.write(piece)
        model, arms = Hosted("bulk.1", VowpalWabbitPolicy.load(folder), 0.02), settings(exploration).action_ids
        peer = timed(lambda: drive(policy, folder))
        ours = timed(lambda: score(model, arms, folder / "rows.jsonl", folder / "scores.jsonl"))
    return {
        "rows": n,
        "ours_us_cpu": 1e6 * ours[1] / n,
        "driver_us_cpu": 1e6 * peer[1] / n,
        "ratio_cpu": peer[1] / ours[1],
        "ratio_wall": peer[0] / ours[0],
    }


def logged(n: int) -> Interactions:
    """Uniformly chosen; the first feature says which arm is right."""
    dice, arms = np.random.default_rng(0), fixed_actions([str(arm + 1) for arm in range(N_ARMS)])
    X, action = dice.normal(size=(n, N_FEATURES)), dice.integers(N_ARMS, size=n)
    contexts: list[Features] = [{f"x{i}": value for i, value in enumerate(row)} for row in X.tolist()]
    reward = (action == (np.abs(X[:, 0]) * 3).astype(np.int64) % N_ARMS).astype(np.float64)
    even, offsets = np.full(n * N_ARMS, 1 / N_ARMS), np.arange(n + 1) * N_ARMS
    return Interactions([""] * n, contexts, [arms] * n, action, even[:n], reward, even, offsets, even[:n], action)


def drive(policy: VowpalWabbitPolicy, folder: Path) -> None:
    files = ["-d", str(folder / "lines"), "-i", str(folder / "weights.vw"), "-t", "-p", str(folder / "predictions")]
    subprocess.run([sys.executable, "-m", "vowpalwabbit", *policy._arguments(), *files], check=True, capture_output=True)


if __name__ == "__main__":
    app()
