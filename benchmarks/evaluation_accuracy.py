"""How far the recommended estimate is from the truth beside Open Bandit Pipeline's, its reward models included, on the same logs.

    python -m benchmarks.evaluation_accuracy [digits wine …] [--size 500 …] [--repetitions 24] [--peers PYTHON]

The logs are those of `benchmarks.evaluation`. The peer's best, of its estimators, each under each of its learners, is told twice:
with hindsight, the one whose root mean squared error turned out least on these very logs, which of so few is too small by luck;
and chosen on the other half of the row's logs, which is as good as somebody could do who had such logs and knew the truth of
them. Prints a JSON document; the peer's gradient boosting takes a second or two a log. `make bench` asks for six sets, one size
and 24 logs a row, twenty minutes of CPU.
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
        names, theirs = _errors(peers, paths, world.truth)
    mine, squares = _root(np.square(np.array(ours) - world.truth)), np.square(theirs)
    best, hindsight, chosen = names[squares.mean(axis=0).argmin()], _root(squares.mean(axis=0).min()), _root(_chosen(squares))
    found = {"cdr": mine, "best of obp": hindsight, "which": best, "ratio": mine / hindsight}
    return found | {"chosen of obp": chosen, "ratio to chosen": mine / chosen}


def _written(path: Path, log: Interactions, pmf: Floats) -> str:
    context = np.array([list(each.values()) for each in log.contexts], dtype=np.float64)
    columns = {"action": log.action, "reward": log.reward, "probability": log.probability}
    np.savez(path, context=context, target=pmf.reshape(len(log), -1), **columns)
    return str(path)


def _errors(peers: Path, paths: Sequence[str], truth: float) -> tuple[list[str], Floats]:
    """Of what has an answer to every log: its names, and how far each (logs, names) was off."""
    told = subprocess.run([str(peers), str(PEER), *paths], stdout=subprocess.PIPE, check=True).stdout
    found = [json.loads(line) for line in told.splitlines()]
    names = [name for name in found[0] if all(name in each for each in found)]
    return names, np.array([[each[name] for name in names] for each in found]) - truth


def _chosen(squares: Floats) -> Floats:
    """The squared errors (logs,) of what had the least on the other half of the logs: the even ones choose for the odd."""
    halves = squares[::2], squares[1::2]
    return np.concatenate([half[:, other.mean(axis=0).argmin()] for half, other in zip(halves, halves[::-1], strict=True)])


def _root(squares: Any) -> float:
    return math.sqrt(float(np.mean(squares)))


@app.default
def main(*sets: str, size: tuple[int, ...] = SIZES, repetitions: int = 24, peers: Path = PEERS) -> None:
    rows: dict[str, dict[str, Any]] = {}
    for name in sets or DATA_SETS:
        world = World.read(name)
        for epsilon in EPSILONS:
            for n in size:
                rows[f"{name} {epsilon:g} {n}"] = row(world, epsilon, n, repetitions, peers)
    summaries = {name: _summary([each[name] for each in rows.values()]) for name in ("ratio", "ratio to chosen")}
    print(json.dumps({"rows": rows, **summaries}, indent=1))


def _summary(ratios: Sequence[float]) -> dict[str, float]:
    found = np.array(ratios)
    return {"mean": float(np.exp(np.log(found).mean())), "worst": float(found.max()), "within": float((found <= 1.05).mean())}


if __name__ == "__main__":
    app()
