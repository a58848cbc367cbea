"""Our own rows as JSON lines, CSV and Parquet: they carry everything that `warm-start` and `import` understand."""

from __future__ import annotations

import csv
import io
from typing import BinaryIO

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from rewardloop.exchange.event import ClosedEvent, iso

_ROWS = 10_000
_BYTES = 64 << 20

_COLUMNS = (
    "event_id", "timestamp", "model_id", "context", "actions", "pmf", "action", "probability", "reward", "sample_prob",
    "values", "density",
)  # fmt: skip
_SCHEMA = pa.schema(
    [
        ("event_id", pa.string()),
        ("timestamp", pa.timestamp("us", "UTC")),
        ("model_id", pa.string()),
        ("context", pa.string()),
        ("actions", pa.string()),
        ("pmf", pa.list_(pa.float64())),
        ("action", pa.string()),
        ("probability", pa.float64()),
        ("reward", pa.float64()),
        ("sample_prob", pa.float64()),
        ("values", pa.list_(pa.float64())),
        ("density", pa.float64()),
    ]
)

_encode = msgspec.json.encode


class JsonLines:
    """An object a line; context and actions are objects, not text."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, event: ClosedEvent) -> None:
        row = {
            "event_id": event.event_id,
            "timestamp": iso(event.decided_at),
            "model_id": event.model_id,
            "context": msgspec.Raw(event.context),
            "actions": msgspec.Raw(event.actions.raw),
            "pmf": event.pmf if event.has_pmf else None,
            "action": event.chosen,
            "probability": event.probability,
            "reward": event.reward,
            "sample_prob": event.sample_prob,
            **({"values": event.values, "density": event.drawn_density} if event.values else {}),
        }
        self._file.write(_encode(row) + b"\n")

    def close(self) -> None:
        """Nothing is held back."""


class Csv:
    """A first line of names; context, actions and pmf are JSON in a cell."""

    def __init__(self, file: BinaryIO) -> None:
        self._text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
        self._rows = csv.writer(self._text)
        self._rows.writerow(_COLUMNS)

    def write(self, event: ClosedEvent) -> None:
        self._rows.writerow(
            (
                event.event_id,
                iso(event.decided_at),
                event.model_id,
                event.context.decode(),
                event.actions.raw.decode(),
                _encode(event.pmf).decode() if event.has_pmf else "",
                event.chosen,
                event.probability,
                event.reward,
                event.sample_prob,
                _encode(event.values).decode() if event.values else "",
                event.drawn_density,
            )
        )

    def close(self) -> None:
        self._text.detach()


class Parquet:
    """Columns; context and actions are JSON."""

    def __init__(self, file: BinaryIO) -> None:
        self._writer = pq.ParquetWriter(file, _SCHEMA, compression="zstd")
        self._held: list[tuple[object, ...]] = []
        self._size = 0

    def write(self, event: ClosedEvent) -> None:
        self._size += len(event.context) + len(event.actions.raw)
        self._held.append(
            (
                event.event_id,
                event.decided_at,
                event.model_id,
                event.context.decode(),
                event.actions.raw.decode(),
                event.pmf if event.has_pmf else None,
                event.chosen,
                event.probability,
                event.reward,
                event.sample_prob,
                event.values or None,
                event.drawn_density,
            )
        )
        if len(self._held) == _ROWS or self._size >= _BYTES:
            self._flush()

    def close(self) -> None:
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        columns = list(zip(*self._held, strict=True)) or [()] * len(_SCHEMA)
        arrays = [pa.array(column, field.type) for column, field in zip(columns, _SCHEMA, strict=True)]
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=_SCHEMA))
        self._held, self._size = [], 0
