"""The 2019 protocol on a labelled file, through the whole loop in process: how much reward do the defaults earn?

    python -m benchmarks.learning [FILE] [--seeds 8] [--config 2019.yaml]

100 rows are decided uniformly and rewarded, then 15 batches of 500, with a turn of the loop (join, train, evaluate, gate, deploy)
after each. FILE holds numbers separated by white space or commas, the class last (Statlog Shuttle's format); without one,
scikit-learn's digits are used. Prints a JSON document.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import numpy as np
from cyclopts import App, Parameter

from rewardloop import Experiment, ExperimentSettings
from rewardloop.clock import SECOND, ManualClock
from rewardloop.settings import PolicySettings, RewardSettings
from rewardloop.settings.load import load_settings
from rewardloop.settings.schema import Exploration

WARM, BATCHES, BATCH = 100, 15, 500

app = App()


def read(file: Path | None) -> tuple[np.ndarray, np.ndarray]:
    """Rows and classes 0 … K−1."""
    if file is None:
        from sklearn.datasets import load_digits  # noqa: PLC0415

        return load_digits(return_X_y=True)
    table = np.loadtxt(file, delimiter="," if "," in file.open().readline() else None)
    _, labels = np.unique(table[:, -1], return_inverse=True)
    return table[:, :-1], labels


def protocol(rows: np.ndarray, labels: np.ndarray, settings: ExperimentSettings, seed: int) -> list[float]:
    """Mean reward of each of the 15 batches."""
    generator = np.random.default_rng(seed)
    order = generator.permutation(len(rows))
    clock = ManualClock()
    with tempfile.TemporaryDirectory() as data, Experiment.open(settings, data, clock=clock) as experiment:
        means, at = [], 0
        for size in [WARM] + [BATCH] * BATCHES:
            chosen = order[np.arange(at, at + size) % len(order)]
            at += size
            means.append(_batch(experiment, clock, rows[chosen], labels[chosen], generator))
            report = experiment.turn()
            if not report.deployed:
                print(f"{report.model_id}: {report.summary}", file=sys.stderr)
    return means[1:]


def _batch(
    experiment: Experiment, clock: ManualClock, rows: np.ndarray, labels: np.ndarray, generator: np.random.Generator
) -> float:
    earned = 0.0
    low, high = experiment.settings.reward.range or (0.0, 1.0)
    for row, label in zip(rows, labels, strict=True):
        clock.advance(SECOND)
        # The event's id is its seed: the same run gives the same bits.
        event_id = f"event-{generator.integers(1 << 62)}"
        decision = experiment.decide({f"x{i}": float(value) for i, value in enumerate(row)}, event_id=event_id)
        right = decision.action == label
        earned += right
        experiment.reward(event_id, high if right else low)
    clock.advance(SECOND)
    return earned / len(rows)


@app.default
def main(
    file: Path | None = None,
    *,
    seeds: int = 8,
    config: Path | None = None,
    policy: Exploration | None = None,
    low: Annotated[float, Parameter(help="The reward of a wrong action …")] = 0.0,
    high: Annotated[float, Parameter(help="… and of the right one.")] = 1.0,
    scale: Annotated[float, Parameter(help="Multiply every feature by this.")] = 1.0,
) -> None:
    rows, labels = read(file)
    base = ExperimentSettings(
        experiment="protocol",
        actions=int(labels.max()) + 1,
        policy=PolicySettings(exploration=policy),
        reward=RewardSettings(range=(low, high), default=low),
    )
    settings = load_settings(config).settings if config else base
    results = []
    for seed in range(seeds):
        results.append(protocol(rows * scale, labels, settings, seed))
        print(f"seed {seed}: {np.mean(results[-1]):.4f}", file=sys.stderr)
    means = np.array(results)
    per_seed = means.mean(axis=1)
    print(
        json.dumps(
            {
                "mean": per_seed.mean(),
                "sd_over_seeds": per_seed.std(),
                "worst_seed": per_seed.min(),
                "batch_1_5_15": means.mean(axis=0)[[0, 4, 14]].tolist(),
                "majority": float(np.bincount(labels).max() / len(labels)),
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    app()
