"""What rewards carry beside the reward, by event: the mean of each name over the rewards that count. The join says which do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import fsum
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa

from rewardloop.events import Metrics
from rewardloop.interactions import Floats, Ints
from rewardloop.lake.manifest import Part
from rewardloop.lake.parts import SCHEMAS, read_part

_decode = msgspec.json.Decoder(dict[str, float]).decode


def read_metrics(document: str | None) -> Metrics:
    """As a column of rewards holds them.

    >>> read_metrics('{"cost":1.5}'), read_metrics(""), read_metrics(None)
    ((('cost', 1.5),), (), ())
    """
    return tuple(_decode(document).items()) if document else ()


def mean_metrics(told: Sequence[Metrics]) -> Metrics:
    """Of the rewards of one event that count: the mean of each name over those that carry it, rounded once.

    >>> mean_metrics([(("cost", 1.0),), (("cost", 2.0), ("ms", 80.0))])
    (('cost', 1.5), ('ms', 80.0))
    """
    if len(told) == 1:
        return told[0]
    values: dict[str, list[float]] = {}
    for name, value in (pair for metrics in told for pair in metrics):
        values.setdefault(name, []).append(value)
    return tuple((name, fsum(value / len(found) for value in found)) for name, found in sorted(values.items()))


def metric_rows(told: pa.Table) -> pa.Table:
    """Rows (event_key, seq, closed_at, metrics), one a reward that counts, ordered by event: one row an event and name."""
    seq = told["seq"].to_numpy()
    starts = np.flatnonzero(np.diff(seq, prepend=-1))
    documents = told["metrics"].to_pylist()
    ends = [*starts[1:].tolist(), len(seq)]
    means = [
        mean_metrics([read_metrics(document) for document in documents[start:end]])
        for start, end in zip(starts.tolist(), ends, strict=True)
    ]
    events = told.take(np.repeat(starts, [len(mean) for mean in means])).drop_columns(["metrics"])
    pairs = [pair for mean in means for pair in mean]
    named = events.append_column("name", pa.array([name for name, _ in pairs], pa.string()))
    return named.append_column("value", pa.array([value for _, value in pairs], pa.float64())).cast(SCHEMAS["metrics"])


class MetricColumns:
    """The metrics asked for, of events by their numbers. Reads a part the first time its span of time is asked about."""

    def __init__(self, directory: Path, parts: Sequence[Part], names: Sequence[str]) -> None:
        self._names = names
        self._seq = {name: np.empty(0, np.int64) for name in names}
        self._value = {name: np.empty(0) for name in names}
        if names:
            self._read(directory, parts)

    def of(self, seq: Ints) -> dict[str, Floats]:
        """(n,) each; NaN where an event has none."""
        return {name: self._column(name, seq) for name in self._names}

    def _column(self, name: str, seq: Ints) -> Floats:
        known, column = self._seq[name], np.full(len(seq), np.nan)
        if len(known):
            place = np.minimum(np.searchsorted(known, seq), len(known) - 1)
            column = np.where(known[place] == seq, self._value[name][place], np.nan)
        return column

    def _read(self, directory: Path, parts: Sequence[Part]) -> None:
        for name, seq, value in _by_name(directory, parts, self._names):
            self._seq[name] = np.concatenate([self._seq[name], seq])
            self._value[name] = np.concatenate([self._value[name], value])
        for name in self._names:
            order = np.argsort(self._seq[name], kind="stable")
            self._seq[name], self._value[name] = self._seq[name][order], self._value[name][order]


def _by_name(directory: Path, parts: Sequence[Part], names: Sequence[str]) -> Iterator[tuple[str, Ints, Floats]]:
    for part in parts:
        table = read_part(directory, part, ["seq", "name", "value"])
        mine, seq, value = table["name"].to_numpy(), table["seq"].to_numpy(), table["value"].to_numpy()
        for name in names:
            rows = mine == name
            yield name, seq[rows], value[rows]
