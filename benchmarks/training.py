"""Bulk training from Parquet to model, against Vowpal Wabbit's own driver on ready-made lines of the same events.

    python -m benchmarks.training [--events 150000]

Ours reads the lake, parses, scales, encodes and feeds the driver; the peer gets a file of finished lines. Same
arguments, same weights in the end. Both in wall time and in CPU time (ours and the driver's together). Prints a JSON document.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from cyclopts import App

from rewardloop import Experiment, ExperimentSettings
from rewardloop.clock import SECOND, ManualClock
from rewardloop.learning import train
from rewardloop.policies.vw.policy import VowpalWabbitPolicy
from rewardloop.settings import LearnerSettings, PolicySettings
from rewardloop.settings.schema import Exploration

EXPLORATIONS: tuple[Exploration, ...] = ("regcbopt", "egreedy")
N_FEATURES, N_ARMS = 9, 7

app = App()


@app.default
def main(events: int = 150_000) -> None:
    with TemporaryDirectory() as folder:
        fill(Path(folder), events)
        print(json.dumps({exploration: compare(Path(folder), exploration) for exploration in EXPLORATIONS}, indent=2))


def settings(exploration: Exploration) -> ExperimentSettings:
    policy = PolicySettings(exploration=exploration, learner=LearnerSettings(replay=1))
    return ExperimentSettings(experiment="bulk", actions=N_ARMS, policy=policy)


def fill(data: Path, events: int) -> None:
    """A lake of rewarded decisions."""
    generator = np.random.default_rng(0)
    clock = ManualClock()
    with Experiment.open(settings("regcbopt"), data, clock=clock) as experiment:
        for row in generator.normal(size=(events, N_FEATURES)):
            decision = experiment.decide({f"x{i}": float(value) for i, value in enumerate(row)})
            experiment.reward(decision.event_id, float(decision.action == int(abs(row[0]) * 3) % N_ARMS))
        clock.advance(SECOND)
        experiment.join()


def compare(data: Path, exploration: Exploration) -> dict[str, float]:
    with Experiment.open(settings(exploration), data, clock=ManualClock()) as experiment, TemporaryDirectory() as folder:
        joined = experiment.join()
        # A first small step decides the columns, so that both learn with the same arguments.
        begun = train(None, joined, experiment.settings, after=0, until=joined.watermark).policy
        assert isinstance(begun, VowpalWabbitPolicy)
        begun.save(Path(folder))
        lines = Path(folder) / "lines"
        n = prepare(begun, joined, lines)
        peer = timed(lambda: drive(begun, lines, Path(folder)))
        ours = timed(lambda: train(begun, joined, experiment.settings, after=0, until=joined.watermark))
    return {
        "events": n,
        "ours_us_cpu": 1e6 * ours[1] / n,
        "driver_us_cpu": 1e6 * peer[1] / n,
        "ratio_cpu": peer[1] / ours[1],
        "ratio_wall": peer[0] / ours[0],
    }


def prepare(policy: VowpalWabbitPolicy, joined: object, lines: Path) -> int:
    batches = list(joined.interactions(split="train", ratio=0.8))  # type: ignore[attr-defined]
    with lines.open("wb") as file:
        for piece in policy._pieces(iter(batches)):
            file.write(piece)
    return sum(map(len, batches))


def drive(policy: VowpalWabbitPolicy, lines: Path, folder: Path) -> None:
    files = ["-d", str(lines), "-i", str(folder / "weights.vw"), "-f", str(folder / "final.vw")]
    command = [sys.executable, "-m", "vowpalwabbit", *policy._arguments(), *files]
    subprocess.run(command, check=True, capture_output=True)


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Wall and CPU seconds, children included."""
    wall, before = time.perf_counter(), cpu()
    work()
    return time.perf_counter() - wall, cpu() - before


def cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


if __name__ == "__main__":
    app()
