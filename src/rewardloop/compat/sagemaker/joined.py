"""Joined data as CSV, under the names that scripts know: `s3://rewardloop/EXPERIMENT/joined/JOB/train/part-00000.csv`.

The files lie in the experiment's directory; `rewardloop serve` answers S3's questions about them (`s3`).
"""

from __future__ import annotations

import csv
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Self, TextIO

import numpy as np
import pyarrow as pa

from rewardloop.durable import storage, sync
from rewardloop.errors import InvalidInput
from rewardloop.exchange.joined.rows import COLUMNS, JoinedRow, joined_row, observation
from rewardloop.features import parse_context
from rewardloop.lake import DataSet
from rewardloop.registry.layout import DataDirectory, ExperimentDirectory

BUCKET = "rewardloop"
ROWS = 100_000
"""Of one file."""

_LOGGED = ("event_id", "context", "action", "probability", "model_id", "decided_at")
_URL = re.compile(rf"s3://{BUCKET}/(?P<experiment>[a-z0-9_-]+)/joined/(?P<job>[A-Za-z0-9_-]+)(/(?P<split>train|eval))?(/.*)?")


class Location(str):
    """Where joined data is, as S3 names it; `path` is the same on this machine's disk."""

    __slots__ = ("path",)
    path: Path

    @classmethod
    def of(cls, directory: ExperimentDirectory, job: str, split: str) -> Self:
        location = cls(f"s3://{BUCKET}/{directory.root.name}/joined/{job}/{split}")
        location.path = directory.joined / job / split
        return location


class Job(NamedTuple):
    """What a location names."""

    experiment: str
    job: str


def job_of(location: str, data: DataDirectory) -> Job | None:
    """The job whose data a URL or a local path names; None where it is none of ours.

    >>> job_of("s3://rewardloop/offers/joined/offers-join-1/eval", DataDirectory(Path("data")))
    Job(experiment='offers', job='offers-join-1')
    """
    if found := _URL.fullmatch(location):
        return Job(found["experiment"], found["job"])
    path, root = Path(location).absolute(), data.root.absolute() / "experiments"
    parts = path.relative_to(root).parts if path.is_relative_to(root) else ()
    return Job(parts[0], parts[2]) if len(parts) >= 3 and parts[1] == "joined" else None


def folder(location: str, data: DataDirectory) -> Path:
    """Where on disk the files of a URL are. Raises `InvalidInput` for one that is none of ours."""
    found = _URL.fullmatch(location)
    if found is None:
        raise InvalidInput(f"Expected s3://{BUCKET}/EXPERIMENT/joined/JOB/train or …/eval, got {location[:200]}")
    return data.experiment(found["experiment"]).joined / found["job"] / (found["split"] or "")


class Selection(NamedTuple):
    """Which closed events a job holds, and how they are split."""

    after: int
    """Closed later than this, in microseconds UTC."""
    decided_after: int
    ratio: float
    """Those whose sample_prob is at most this train."""


def write_joined(data: DataSet, directory: ExperimentDirectory, job: str, selection: Selection) -> int:
    """Writes what closed since the last job; returns the number of events. The folder is there whole, or not at all.

    Each split has one file at least, so that what is listed can be read.
    """
    final = directory.joined / job
    stage = directory.joined / f".{job}"
    with storage(stage):
        for old in (stage, final):
            shutil.rmtree(old, ignore_errors=True)
        train, evaluation = _Parts(stage / "train"), _Parts(stage / "eval")
        n = 0
        for row in _rows(data, selection):
            (train if row[-1] <= selection.ratio else evaluation).write(row)
            n += 1
        train.close()
        evaluation.close()
        stage.rename(final)
        sync(directory.joined)
    return n


class _Parts:
    """The files of one split, each with its header."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True)
        self._directory = directory
        self._n = 0
        self._file: TextIO | None = None

    def write(self, row: JoinedRow) -> None:
        if self._n % ROWS == 0:
            self._next()
        csv.writer(self._open()).writerow(row)
        self._n += 1

    def close(self) -> None:
        if self._file is None:
            self._next()
        self._open().close()
        for path in (*self._directory.iterdir(), self._directory):
            sync(path)

    def _open(self) -> TextIO:
        assert self._file is not None
        return self._file

    def _next(self) -> None:
        if self._file is not None:
            self._file.close()
        self._file = (self._directory / f"part-{self._n // ROWS:05d}.csv").open("w", encoding="utf-8", newline="")
        csv.writer(self._file).writerow(COLUMNS)


def _rows(data: DataSet, selection: Selection) -> Iterator[JoinedRow]:
    for labels, table in data.rows(_LOGGED, after=selection.after):
        kept = np.flatnonzero(table["decided_at"].to_numpy() > selection.decided_after)
        logged = (table[name].take(kept).to_pylist() for name in ("event_id", "action", "probability", "model_id"))
        contexts = table["context"].cast(pa.binary()).take(kept).to_pylist()
        rewards, shares = labels.reward[kept].tolist(), labels.sample_prob[kept].tolist()
        for reward, (event, action, probability, model), context, share in zip(
            rewards, zip(*logged, strict=True), contexts, shares, strict=True
        ):
            yield joined_row(reward, event, action, probability, model, observation(parse_context(context)), share)
