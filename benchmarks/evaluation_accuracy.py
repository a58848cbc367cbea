"""How far the recommended estimate is from the truth beside Open Bandit Pipeline's, its reward models included, on the same logs.

    python -m benchmarks.evaluation_accuracy [digits wine …] [--size 500 …] [--repetitions 24] [--peers PYTHON] [--table]

The logs are those of `benchmarks.evaluation`. The peer's best, of its estimators, each under each of its learners, is told twice:
with hindsight, the one whose root mean squared error turned out least on these very logs, which of so few is too small by luck;
and chosen on the other half of the row's logs, which is as good as somebody could do who had such logs and knew the truth of
them. Ratios have a 90 % interval: both errors are of the same logs, which are drawn again 2,000 times. Prints a JSON document, or a
table; `make bench` asks for six sets, three sizes and 24 logs a row, about twenty minutes of CPU, nearly all of it the peer's.
"""

from __future__ import annotations

import json
import math
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
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

DRAWS = 2_000

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
    return compared(np.square(np.array(ours) - world.truth), names, np.square(theirs))


def compared(ours: Floats, names: Sequence[str], theirs: Floats) -> dict[str, Any]:
    """Root mean squared errors from the squared ones of each log, (logs,) and (logs, names); their ratios with 90 % intervals."""
    mine, hindsight, of_chosen = _root(ours), _root(theirs.mean(axis=0).min()), _chosen(theirs)
    chosen = _root(of_chosen)
    again = np.random.default_rng(0).integers(len(ours), size=(DRAWS, len(ours)))
    found = {"cdr": mine, "best of obp": hindsight, "which": names[theirs.mean(axis=0).argmin()], "ratio": mine / hindsight}
    found |= {"ratio, 90 %": _interval(np.array([ours[rows].mean() / theirs[rows].mean(axis=0).min() for rows in again]))}
    found |= {"chosen of obp": chosen, "ratio to chosen": mine / chosen}
    return found | {"ratio to chosen, 90 %": _interval(ours[again].mean(axis=1) / of_chosen[again].mean(axis=1))}


def _interval(of_squares: Floats) -> list[float]:
    return [float(bound) for bound in np.sqrt(np.quantile(of_squares, [0.05, 0.95]))]


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
def main(*sets: str, size: tuple[int, ...] = SIZES, repetitions: int = 24, peers: Path = PEERS, table: bool = False) -> None:
    rows: dict[str, dict[str, Any]] = {}
    for name in sets or DATA_SETS:
        world = World.read(name)
        for epsilon in EPSILONS:
            for n in size:
                rows[f"{name} {epsilon:g} {n}"] = row(world, epsilon, n, repetitions, peers)
    print(as_table(rows) if table else json.dumps(summed_up(rows), indent=1))


def summed_up(rows: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """The rows, and of both ratios the geometric mean, the worst, and the share within 5 %: by size, too."""
    found: dict[str, Any] = {"rows": rows}
    for name in ("ratio", "ratio to chosen"):
        sizes = sorted({int(row.rsplit(" ", 1)[1]) for row in rows})
        by_size = {f"{n}": _summary([each[name] for row, each in rows.items() if row.endswith(f" {n}")]) for n in sizes}
        found[name] = _summary([each[name] for each in rows.values()]) | {"by size": by_size}
    return found


def as_table(rows: Mapping[str, dict[str, Any]]) -> str:
    """Markdown, a row a line: the errors and their ratios."""
    lines = ["| data, ε, n | `cdr` | chosen on other logs | ratio | by hindsight | which that was | ratio |", "|---" * 7 + "|"]
    for name, each in rows.items():
        told, hind = (
            f"{each[kind]:.2f} ({each[f'{kind}, 90 %'][0]:.2f} to {each[f'{kind}, 90 %'][1]:.2f})"
            for kind in ("ratio to chosen", "ratio")
        )
        ours, chosen, best = (f"{each[key]:.4f}" for key in ("cdr", "chosen of obp", "best of obp"))
        lines.append(f"| {_named(name)} | {ours} | {chosen} | {told} | {best} | {each['which']} | {hind} |")
    return "\n".join(lines)


def _named(row: str) -> str:
    name, epsilon, n = row.rsplit(" ", 2)
    return f"{name}, {epsilon}, {int(n):,}"


def _summary(ratios: Sequence[float]) -> dict[str, Any]:
    found = np.array(ratios)
    return {"mean": float(np.exp(np.log(found).mean())), "worst": float(found.max()), "within": float((found <= 1.05).mean())}


if __name__ == "__main__":
    app()
