"""How far the recommended estimate is from the truth beside Open Bandit Pipeline's, its reward models included, on the same logs.

    python -m benchmarks.evaluation_accuracy [digits wine …] [--size 500 …] [--repetitions 25] [--peers PYTHON]

The logs are those of `benchmarks.evaluation`. The peer's best is chosen with hindsight: of its estimators, each under each of its
learners, the one whose root mean squared error turned out least in that row. Prints a JSON document; the peer's gradient boosting
takes a second or two a log. `make bench` asks for six sets, one size and eight logs a row, five minutes of CPU: of so few logs a
row's ratio is off by a quarter either way, and the least of 25 too small by luck; what it says is the mean.
"""

from __future__ import annotations

import json
import math
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from cyclopts import App

from benchmarks.evaluation import DATA_SETS, EPSILONS, SIZES, World
from benchmarks.evaluation_speed import PEERS
from rewardloop.evaluation import cdr, sample
from rewardloop.evaluation.reward_models.reward_model import fit_predict
from rewardloop.interactions import Floats, Interactions

PEER = Path(__file__).parent / "evaluation_accuracy_peer.py"

app = App()


def row(world: World, epsilon: float, n: int, repetitions: int, peers: Path) -> dict[str, Any]:
    """Both errors, and whose the peer's least is."""
    with tempfile.TemporaryDirectory() as directory:
        paths, ours = [], []
        for seed in range(repetitions):
            log, pmf = world.log(n, epsilon, np.random.default_rng([seed, n]))
            ours.append(float(cdr(sample(log, pmf, fit_predict(log, seed))).mean()))
            paths.append(_written(Path(directory) / f"{seed}.npz", log, pmf))
        theirs = _errors(peers, paths, world.truth)
    best = min(theirs, key=lambda name: theirs[name])
    mine = _error(ours, world.truth)
    return {"cdr": mine, "best of obp": theirs[best], "which": best, "ratio": mine / theirs[best]}


def _written(path: Path, log: Interactions, pmf: Floats) -> str:
    context = np.array([list(each.values()) for each in log.contexts], dtype=np.float64)
    columns = {"action": log.action, "reward": log.reward, "probability": log.probability}
    np.savez(path, context=context, target=pmf.reshape(len(log), -1), **columns)
    return str(path)


def _errors(peers: Path, paths: Sequence[str], truth: float) -> dict[str, float]:
    """By what has an answer to every log."""
    told = subprocess.run([str(peers), str(PEER), *paths], stdout=subprocess.PIPE, check=True).stdout
    found = [json.loads(line) for line in told.splitlines()]
    return {name: _error([each[name] for each in found], truth) for name in found[0] if all(name in each for each in found)}


def _error(values: Sequence[float], truth: float) -> float:
    return math.sqrt(float(np.mean(np.square(np.array(values) - truth))))


@app.default
def main(*sets: str, size: tuple[int, ...] = SIZES, repetitions: int = 25, peers: Path = PEERS) -> None:
    rows: dict[str, dict[str, Any]] = {}
    for name in sets or DATA_SETS:
        world = World.read(name)
        for epsilon in EPSILONS:
            for n in size:
                rows[f"{name} {epsilon:g} {n}"] = row(world, epsilon, n, repetitions, peers)
    ratios = np.array([each["ratio"] for each in rows.values()])
    summary = {"mean": float(np.exp(np.log(ratios).mean())), "worst": float(ratios.max()), "within": float((ratios <= 1.05).mean())}
    print(json.dumps({"rows": rows, "ratio": summary}, indent=1))


if __name__ == "__main__":
    app()
