"""Our defaults against other packages' learners on the standard worlds: the table of docs/testbed.md.

    python -m benchmarks.testbed --peers .venv-peers/bin/python --seeds 3 --write docs/testbed.md

Both play the same rounds, one at a time, each reward known before the next round. Results of ours are kept in `--out` and of the
peers beside it: a killed run carries on. `--regime` takes 20,000 rounds, or the batches and delays, of ours alone.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor, as_completed
from itertools import product
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np
from cyclopts import App

from rewardloop.features import Features
from rewardloop.reports.testbed import overall_table
from rewardloop.testbed.cell import Knobs, Row, contender
from rewardloop.testbed.results import Results
from rewardloop.testbed.running import cells, load_world, run
from rewardloop.testbed.summary import Summary, summarise
from rewardloop.worlds.bundled import STANDARD
from rewardloop.worlds.cascade import RankedWorld
from rewardloop.worlds.logged import LoggedWorld

OURS = ("default", "linucb", "regcbopt", "squarecb")
Regime = Literal["peers", "long", "batch", "delay"]
KNOBS: dict[Regime, Knobs] = {
    "peers": Knobs(rounds=4_000),
    "long": Knobs(rounds=20_000),
    "batch": Knobs(rounds=8_000, batch=500),
    "delay": Knobs(rounds=8_000, delay=1_000.0),
}
BEGIN, END = "<!-- results:begin -->\n", "<!-- results:end -->\n"

app = App()


@app.default
def main(
    *,
    peers: Path | None = None,
    seeds: int = 3,
    regime: Regime = "peers",
    worlds: tuple[str, ...] = STANDARD,
    out: Path = Path("testbed-bench.jsonl"),
    jobs: int | None = None,
    write: Path | None = None,
) -> None:
    knobs = KNOBS[regime]
    at_once = jobs or os.cpu_count() or 1
    names = OURS if regime == "peers" else ("default",)
    with Results(out) as results:
        wanted = cells([contender(name) for name in names], worlds, seeds, knobs)
        rows = run(wanted, results, label=None, jobs=at_once)
    if peers is not None:
        rows += theirs(peers, worlds, seeds, knobs, out.with_suffix(".peers.jsonl"), jobs=at_once)
    found = summarise(rows, knobs)
    print(markdown(found, seeds))
    if write:
        page = write.read_text(encoding="utf-8")
        head, tail = page.split(BEGIN)[0], page.split(END)[1]
        write.write_text(f"{head}{BEGIN}{markdown(found, seeds)}{END}{tail}", encoding="utf-8")


def theirs(python: Path, worlds: tuple[str, ...], seeds: int, knobs: Knobs, kept: Path, *, jobs: int) -> list[Row]:
    """The peers' rows, as many worlds at a time as there are jobs; worlds and seeds that are in `kept` are not played again."""
    known = [json.loads(line) for line in kept.read_text().splitlines()] if kept.exists() else []
    done = {(row["world"], row["seed"], row["rounds"]) for row in known}
    todo = [cell for cell in product(range(seeds), worlds) if (cell[1], cell[0], knobs.rounds) not in done]
    with ThreadPoolExecutor(jobs) as pool, kept.open("a") as file:
        for played in as_completed([pool.submit(_play, python, world, seed, knobs.rounds) for seed, world in todo]):
            file.write(played.result())
            file.flush()
    return [
        _row(json.loads(line), knobs, seeds, worlds) for line in kept.read_text().splitlines() if _is_wanted(line, seeds, worlds)
    ]


def _play(python: Path, world: str, seed: int, n: int) -> str:
    """Lines of JSON, a peer each."""
    one = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    with tempfile.TemporaryDirectory() as folder:
        rounds = Path(folder) / "rounds.npz"
        export(world, seed, n, rounds)
        script = str(Path(__file__).with_name("testbed_peers.py"))
        ran = subprocess.run([str(python), script, str(rounds)], stdout=subprocess.PIPE, check=True, env=one)
    print(f"peers: {world}, seed {seed}", file=sys.stderr)
    return ran.stdout.decode()


def _is_wanted(line: str, seeds: int, worlds: tuple[str, ...]) -> bool:
    row = json.loads(line)
    return row["seed"] < seeds and row["world"] in worlds


def _row(found: dict[str, object], knobs: Knobs, seeds: int, worlds: tuple[str, ...]) -> Row:
    spent = found.pop("round_us")
    found.pop("rounds")
    more = {"digest": "", "knobs": knobs, "best": None, "best_fixed": None, "decide_us": spent, "learn_us": 0.0}
    return msgspec.convert({**found, **msgspec.to_builtins(more), "n_used": knobs.rounds}, Row)


def export(name: str, seed: int, rounds: int, path: Path) -> None:
    """The rounds that our own play, as a matrix."""
    world = load_world(name, None)
    assert not isinstance(world, LoggedWorld | RankedWorld)
    stream = world.stream(rounds, np.random.default_rng([seed, 0]))
    X = matrix(stream.contexts)
    arms = stream.means.shape[1]
    np.savez(path, X=X, best=stream.means.argmax(axis=1), n_arms=arms, seed=seed, world=name)


def matrix(contexts: list[Features]) -> np.ndarray:
    """(n, d) numbers standardised, words one-hot; constant columns are 0."""
    names = dict.fromkeys(f"{k}={v}" if isinstance(v, str) else k for context in contexts for k, v in context.items())
    place = {name: i for i, name in enumerate(names)}
    X = np.zeros((len(contexts), len(place)))
    words = np.zeros(len(place), bool)
    for row, context in zip(X, contexts, strict=True):
        for key, value in context.items():
            at = place[f"{key}={value}" if isinstance(value, str) else key]
            words[at] = isinstance(value, str)
            row[at] = 1.0 if isinstance(value, str) else value
    mean, sd = np.where(words, 0.0, X.mean(axis=0)), np.where(words, 1.0, X.std(axis=0))
    return (X - mean) / np.where(sd > 0, sd, 1.0)


def markdown(found: Summary, seeds: int) -> str:
    """Over all worlds, then world by world."""
    overall = overall_table(found)
    names = [each.policy for each in found.overall]
    known = {(score.world, score.policy): score.mean_reward.value for score in found.scores}
    worlds = list(dict.fromkeys(score.world for score in found.scores))
    rows = [
        [world, *(f"{known[world, name]:.3f}" if (world, name) in known else "" for name in names), f"{found.skylines[world]:.3f}"]
        for world in worlds
    ]
    head = f"{found.knobs.rounds:,} rounds, batches of {found.knobs.batch:,}, delay {found.knobs.delay or 0:g}, {seeds} seeds.\n\n"
    return f"{head}{_table(overall.header, overall.rows)}\n{_table(['world', *names, 'skyline'], rows)}"


def _table(header: object, rows: object) -> str:
    names = [str(name) for name in header]  # type: ignore[attr-defined]
    rule = ["---:" if name.startswith(">") else "---" for name in names]
    lines = [[name.removeprefix(">") for name in names], rule, *rows]  # type: ignore[misc]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    app()
