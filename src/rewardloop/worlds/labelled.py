"""A labelled file, CSV of any dialect or Parquet, as rows of features and their labels. Knows nothing of bandits."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple, TextIO

import pyarrow as pa
import pyarrow.parquet as pq

from rewardloop.errors import InvalidInput, did_you_mean
from rewardloop.features import Features, flatten

MAX_ROWS = 50_000
MAX_COLUMNS = 1_000
DELIMITERS = ",;\t|"
MISSING = frozenset(("", "na", "n/a", "nan", "null", "none", "?"))
_SAMPLE = 65_536


class Labelled(NamedTuple):
    """Row by row: what is known, and the class that is right."""

    contexts: list[Features]
    labels: list[str]


def read_labelled(path: Path, label: str | None = None) -> Labelled:
    """The first 50,000 rows of a Parquet file, or of a CSV with a header, delimited by `,`, `;`, tab or `|`.

    An empty cell is an absent feature.

    `label` names the column to predict, by default the last; rows without one are left out. Raises `InvalidInput` in one
    sentence for a file that is something else.
    """
    try:
        if _is_parquet(path):
            return _read_parquet(path, label)
        with path.open(encoding="utf-8-sig", newline="") as file:
            return _read(file, path, label)
    except OSError as error:
        raise InvalidInput(f"Cannot read {path}: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        what = "bytes that are no UTF-8 text" if isinstance(error, UnicodeDecodeError) else str(error)
        raise InvalidInput(f"Expected a CSV file with a header, got {what}", at=str(path)) from None


def _read(file: TextIO, path: Path, label: str | None) -> Labelled:
    sample = file.read(_SAMPLE)
    if "\0" in sample:
        raise csv.Error("a zero byte")
    file.seek(0)
    rows = csv.reader(file, delimiter=_delimiter(sample), skipinitialspace=True)
    names = _names(next(rows, []), path)
    return labelled(names, _checked(rows, len(names), path), _position(names, label, path), path)


def labelled(names: Sequence[str], rows: Iterable[Sequence[str]], at: int, path: Path) -> Labelled:
    """Cells as features: a column is of numbers where all its cells are. `at` is the label's position; `path` says whose it is."""
    filled = [row for row in rows if not _missing(row[at])]
    if not filled:
        raise InvalidInput(f"Expected rows with a value in column `{names[at]}`, found none", at=str(path))
    numeric = [_is_numeric([row[i] for row in filled]) for i in range(len(names))]
    contexts = [flatten(_features(names, numeric, row, at), f"{path.name}") for row in filled]
    return Labelled(contexts, [row[at].strip() for row in filled])


def _is_parquet(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"PAR1"


def _read_parquet(path: Path, label: str | None) -> Labelled:
    """Scalar columns only: a list or a struct is no cell."""
    try:
        with pq.ParquetFile(path) as file:
            names = _names(file.schema_arrow.names, path)
            batches = file.iter_batches(10_000, use_threads=False)
            rows = (row for batch in batches for row in _cells(batch))
            return labelled(names, islice(rows, MAX_ROWS), _position(names, label, path), path)
    except pa.ArrowException as error:
        raise InvalidInput(f"Expected a Parquet file with columns of numbers and texts: {error}", at=str(path)) from None


def _cells(batch: pa.RecordBatch) -> Iterator[tuple[str, ...]]:
    return zip(*(map(_cell, column.to_pylist()) for column in batch.columns), strict=True)


def _cell(value: object) -> str:
    if isinstance(value, list | dict | bytes):
        raise pa.ArrowInvalid("a column of lists, structs or bytes")
    return "" if value is None else str(int(value) if isinstance(value, bool) else value)


def _delimiter(sample: str) -> str:
    """The one that makes most columns of the header."""
    header = sample.lstrip().splitlines()[:1]
    return max(DELIMITERS, key=lambda delimiter: len(next(csv.reader(header, delimiter=delimiter), [])))


def _names(header: Sequence[str], path: Path) -> list[str]:
    """Column names as features may be called: not empty, no leading `_`, each once."""
    if not 2 <= len(header) <= MAX_COLUMNS:
        raise InvalidInput(
            f"Expected a CSV header with 2 to {MAX_COLUMNS} columns, features and a label; got {len(header)}", at=str(path)
        )
    names: list[str] = []
    for i, raw in enumerate(header, start=1):
        name = raw.strip().lstrip("_") or f"column_{i}"
        names.append(f"{name}_{i}" if name in names else name)
    return names


def _position(names: list[str], label: str | None, path: Path) -> int:
    if label is None:
        return len(names) - 1
    if label.lstrip("_") not in names:
        raise InvalidInput(f"Unknown label column `{label}` in {path}{did_you_mean(label, names)}", at="--label")
    return names.index(label.lstrip("_"))


def _checked(rows: Iterator[list[str]], width: int, path: Path) -> Iterator[list[str]]:
    for number, row in enumerate(islice(rows, MAX_ROWS), start=2):
        if row and len(row) != width:
            raise InvalidInput(f"Expected {width} columns as in the header, got {len(row)} in row {number}", at=str(path))
        if row:
            yield row


def _missing(cell: str) -> bool:
    return cell.strip().lower() in MISSING


def _is_numeric(cells: list[str]) -> bool:
    return all(_number(cell) is not None for cell in cells if not _missing(cell))


def _number(cell: str) -> float | None:
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _features(names: Sequence[str], numeric: Sequence[bool], row: Sequence[str], label: int) -> dict[str, object]:
    return {
        name: float(cell) if number else cell.strip()
        for i, (name, number, cell) in enumerate(zip(names, numeric, row, strict=True))
        if i != label and not _missing(cell)
    }
