"""Rows as they stand in a file of CSV, JSON lines or Parquet, one at a time. What they mean is not known here."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from rewardloop.errors import InvalidInput

MAX_LINE = 16 << 20

Values = dict[str, object]


class RawRow(NamedTuple):
    line: int
    """Counting from 1; in Parquet, the row."""
    values: Values | None
    problem: str = ""
    """Why there are no values."""


def json_lines(path: Path) -> Iterator[RawRow]:
    """An object a line."""
    with path.open("rb") as file:
        number = 0
        while line := file.readline(MAX_LINE):
            number += 1
            if len(line) == MAX_LINE:
                yield RawRow(number, None, f"a line longer than {MAX_LINE} bytes")
                while line and not line.endswith(b"\n"):
                    line = file.readline(MAX_LINE)
            elif text := line.removeprefix(b"\xef\xbb\xbf").strip():
                yield _json_row(number, text)


def _json_row(number: int, text: bytes) -> RawRow:
    try:
        values = _decoded(text)
    except (ValueError, RecursionError):
        return RawRow(number, None, "not JSON")
    if isinstance(values, dict):
        return RawRow(number, values)
    return RawRow(
        number, None, "a list, not an event (dsjson has checkpoints)" if isinstance(values, list) else "not a JSON object"
    )


def _decoded(text: bytes) -> object:
    """Python writes `NaN` and `Infinity`, which JSON does not have: what such a number spoils is for whoever reads it to say."""
    try:
        return msgspec.json.decode(text)
    except ValueError:
        return json.loads(text)


def csv_rows(path: Path) -> Iterator[RawRow]:
    """Cells as numbers or text; an empty one is absent. Raises `InvalidInput` for a first line that names no columns."""
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        rows = csv.reader(file)
        header = _header(next(rows, []), path)
        while True:
            try:
                cells = next(rows, None)
            except csv.Error as error:
                yield RawRow(rows.line_num, None, f"not CSV: {error}")
                continue
            if cells is None:
                return
            if cells:
                yield _csv_row(rows.line_num, header, cells)


def _header(names: list[str], path: Path) -> list[str]:
    if not names:
        got = "an empty line" if path.stat().st_size else "an empty file"
        raise InvalidInput(f"Expected rows, below a first line of column names or as JSON, got {got}", at=str(path))
    twice = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    if twice:
        raise InvalidInput(f"Expected a first line of distinct column names, got `{twice[0][:80]}` twice", at=str(path))
    return names


def _csv_row(line: int, header: list[str], cells: list[str]) -> RawRow:
    if len(cells) != len(header):
        return RawRow(line, None, "another number of columns than the first line")
    values = ((name, _cell(cell)) for name, cell in zip(header, cells, strict=True))
    return RawRow(line, {name: value for name, value in values if value is not None})


def _cell(text: str) -> object:
    """A number where it reads as one (not a whole one of 16 digits or more: that is an id); nothing where it is empty or NaN."""
    try:
        value = float(text)
    except ValueError:
        return text or None
    if math.isnan(value):
        return None
    if text.removeprefix("-").isdecimal():
        return int(text) if len(text) < 16 else text
    return value


def csv_columns(path: Path) -> list[str]:
    """The names in the first line."""
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        return next(csv.reader(file), [])


def parquet_columns(path: Path) -> list[str]:
    """The names of the schema. Raises `InvalidInput` for a file that is not Parquet."""
    with _parquet(path) as file:
        return list(file.schema_arrow.names)


def parquet_rows(path: Path) -> Iterator[RawRow]:
    """Rows as they stand, without nulls. Raises `InvalidInput` for a file that is not Parquet."""
    number = 0
    with _parquet(path) as file:
        for batch in file.iter_batches(1_000, use_threads=False):
            for values in batch.to_pylist():
                number += 1
                yield RawRow(number, {name: value for name, value in values.items() if value is not None})


def _parquet(path: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path)
    except pa.ArrowInvalid as error:
        raise InvalidInput(f"Expected a Parquet file: {error}", at=str(path)) from None
