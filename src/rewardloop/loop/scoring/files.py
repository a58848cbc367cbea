"""Scores to a file, by its ending: JSON lines, CSV or Parquet, a chunk at a time. Whole or absent: written beside, then renamed."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from rewardloop.durable import storage
from rewardloop.errors import InvalidInput

SUFFIXES: Final = (".jsonl", ".csv", ".parquet")


class Scored(NamedTuple):
    """One row's answer."""

    line: int
    """Of the row, in its file."""
    action: str
    """The most probable one."""
    probability: float
    """Of that."""
    actions: Sequence[str]
    pmf: Sequence[float]
    """As it would be served, floor included."""


Write = Callable[[Sequence[Scored]], None]

_SCHEMA: Final = pa.schema(
    [
        ("line", pa.int64()),
        ("action", pa.string()),
        ("probability", pa.float64()),
        ("actions", pa.list_(pa.string())),
        ("pmf", pa.list_(pa.float64())),
    ]
)


def check_suffix(path: Path) -> None:
    """Raises `InvalidInput` for an ending that names no format, or a directory that is not there."""
    if path.suffix not in SUFFIXES:
        raise InvalidInput(f"Expected a file name that ends in {', '.join(SUFFIXES)}, got `{path}`", at="--out")
    if not path.parent.is_dir():
        raise InvalidInput(f"Expected a file in a directory that exists, got `{path}`", at="--out")


@contextmanager
def writing(path: Path) -> Iterator[Write]:
    """Takes chunks; the file appears when the block ends well. Raises `StorageUnavailable`."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with storage(path):
            with _WRITERS[path.suffix](temporary) as write:
                yield write
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
            temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def _jsonl(path: Path) -> Iterator[Write]:
    encoder = msgspec.json.Encoder()
    with path.open("wb") as file:
        yield lambda rows: _discard(file.write(encoder.encode_lines([row._asdict() for row in rows])))


@contextmanager
def _csv(path: Path) -> Iterator[Write]:
    def write(rows: Sequence[Scored]) -> None:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(
            (row.line, row.action, row.probability, encode(row.actions).decode(), encode(row.pmf).decode()) for row in rows
        )
        file.write(text.getvalue())

    encode = msgspec.json.Encoder().encode
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(",".join(_SCHEMA.names) + "\n")
        yield write


@contextmanager
def _parquet(path: Path) -> Iterator[Write]:
    with pq.ParquetWriter(path, _SCHEMA) as file:
        yield lambda rows: file.write_table(pa.table([list(column) for column in zip(*rows, strict=True)], schema=_SCHEMA))


def _discard(_: object) -> None:
    return None


_WRITERS: Final = {".jsonl": _jsonl, ".csv": _csv, ".parquet": _parquet}
