"""What one worker counts: plain integers while it serves, a small file each second, summed over all workers by `metrics`."""

from __future__ import annotations

import os
from bisect import bisect_left
from pathlib import Path

import msgspec

from rewardloop.deciding.trial_counts import TrialCounts

BUCKETS = (0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
"""Upper bounds of the latency histogram, in seconds."""


class Timing(msgspec.Struct):
    """How long the answers of one route took."""

    buckets: list[int] = msgspec.field(default_factory=lambda: [0] * (len(BUCKETS) + 1))
    seconds: float = 0.0

    def observe(self, seconds: float) -> None:
        self.buckets[bisect_left(BUCKETS, seconds)] += 1
        self.seconds += seconds


class ExperimentCounts(msgspec.Struct):
    decisions: int = 0
    rewards: int = 0
    activations: int = 0
    swaps: int = 0
    refused_models: int = 0
    failed_commits: int = 0
    model_id: str = ""
    """What is hosted now."""
    ready: bool = False
    challenger: str = ""
    """The model on trial now."""
    trial: TrialCounts = msgspec.field(default_factory=TrialCounts)
    """Of the newest trial, as this process saw it."""


class Counts(msgspec.Struct):
    """Everything one worker counts. Survives its death: the worker that takes its place counts on."""

    requests: dict[str, int] = msgspec.field(default_factory=dict)
    """`operation status` → answers."""
    timings: dict[str, Timing] = msgspec.field(default_factory=dict)
    """operation → how long."""
    experiments: dict[str, ExperimentCounts] = msgspec.field(default_factory=dict)

    def timing(self, operation: str) -> Timing:
        return self.timings.setdefault(operation, Timing())

    def experiment(self, name: str) -> ExperimentCounts:
        return self.experiments.setdefault(name, ExperimentCounts())


class CountsFile:
    """The file of one worker. Not fsynced: a power cut may cost a second of counting, never an event."""

    def __init__(self, directory: Path, worker: int) -> None:
        self._path = directory / f"worker-{worker}.json"
        self._written = b""

    def load(self) -> Counts:
        """What the predecessor counted, or nothing."""
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=Counts)
        except (FileNotFoundError, msgspec.DecodeError):
            return Counts()

    def save(self, counts: Counts) -> None:
        """By rename, so that a reader never sees half a file."""
        raw = msgspec.json.encode(counts)
        if raw != self._written:
            new = self._path.with_suffix(".new")
            new.write_bytes(raw)
            os.replace(new, self._path)
            self._written = raw


def load_all(directory: Path) -> dict[str, Counts]:
    """Worker's number → what it counted, of all workers of this server."""
    files = sorted(directory.glob("worker-*.json"))
    return {file.stem.removeprefix("worker-"): msgspec.json.decode(file.read_bytes(), type=Counts) for file in files}
