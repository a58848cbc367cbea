"""Part files: their Parquet schemas, and writing and reading one. Which of them exist is the manifest's business.

Times are int64 microseconds. `effective_at` is the time that the join goes by: the record's own, unless the data set of that
time was already closed when it arrived.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from rewardloop.errors import Corrupt, StorageUnavailable
from rewardloop.lake.fingerprint import Words, add, label_sums
from rewardloop.lake.manifest import INDEXED, Kind, Part

ROW_GROUP = 16_384
"""Decisions read together when one is needed: a compromise between scans and look-ups."""
SCANNED_GROUP = 131_072
"""Of the other kinds, which are only ever scanned."""
GROUP_BYTES = 32 << 20

SCHEMAS: dict[Kind, pa.Schema] = {
    "decisions": pa.schema(
        [
            ("event_key", pa.uuid()),
            ("event_id", pa.string()),
            ("seq", pa.int64()),
            ("effective_at", pa.int64()),
            ("decided_at", pa.int64()),
            ("model_id", pa.string()),
            ("context", pa.string()),
            ("actions", pa.string()),
            ("pmf", pa.list_(pa.float64())),
            ("action", pa.int32()),
            ("probability", pa.float64()),
            ("seed", pa.uint64()),
            ("sample_prob", pa.float64()),
            ("excluded", pa.list_(pa.int32())),
            ("explore", pa.bool_()),
            ("deferred", pa.bool_()),
            ("variant", pa.string()),
            ("sticky", pa.string()),
            ("values", pa.list_(pa.float64())),
            ("density", pa.float64()),
        ]
    ),
    "rewards": pa.schema(
        [
            ("event_key", pa.uuid()),
            ("event_id", pa.string()),
            ("effective_at", pa.int64()),
            ("rewarded_at", pa.int64()),
            ("reward", pa.float64()),
            ("reward_id", pa.string()),
            ("final", pa.bool_()),
            ("metrics", pa.string()),
        ]
    ),
    "activations": pa.schema(
        [("event_key", pa.uuid()), ("event_id", pa.string()), ("effective_at", pa.int64()), ("activated_at", pa.int64())]
    ),
    "wholes": pa.schema(
        [
            ("event_key", pa.uuid()),
            ("event_id", pa.string()),
            ("effective_at", pa.int64()),
            ("deferred", pa.bool_()),
            ("slots", pa.list_(pa.string())),
            ("record", pa.binary()),
        ]
    ),
    "unmatched": pa.schema([("event_key", pa.uuid()), ("effective_at", pa.int64())]),
    "labels": pa.schema(
        [
            ("event_key", pa.uuid()),
            ("seq", pa.int64()),
            ("closed_at", pa.int64()),
            ("reward", pa.float64()),
            ("n_rewards", pa.int32()),
            ("sample_prob", pa.float64()),
        ]
    ),
    "metrics": pa.schema(
        [("event_key", pa.uuid()), ("seq", pa.int64()), ("closed_at", pa.int64()), ("name", pa.string()), ("value", pa.float64())]
    ),
}

_RANDOM = {"event_key", "sample_prob", "seed"}
"""Columns that do not compress."""
_DICTIONARIES = ["model_id", "actions", "variant", "reward_id", "final", "metrics", "n_rewards", "explore", "deferred", "name"]
_DELTAS = dict.fromkeys(("seq", "effective_at", "closed_at", "decided_at", "rewarded_at"), "DELTA_BINARY_PACKED")


def time_column(kind: Kind) -> str:
    return "closed_at" if kind in {"labels", "metrics"} else "effective_at"


def key_words(column: pa.ChunkedArray | pa.Array) -> tuple[Words, Words]:
    """The upper and lower 64 bits of event keys, unsigned."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    storage = array.storage if isinstance(array, pa.ExtensionArray) else array
    words = np.frombuffer(storage.buffers()[1], dtype=">u8")[2 * storage.offset : 2 * (storage.offset + len(storage))]
    native = words.astype(np.uint64).reshape(-1, 2)
    return native[:, 0], native[:, 1]


def key_column(raw: bytes) -> pa.Array:
    """Event keys from their bytes, 16 each."""
    storage = pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), len(raw) // 16, [None, pa.py_buffer(raw)])
    return pa.ExtensionArray.from_storage(pa.uuid(), storage)


def write_part(directory: Path, kind: Kind, serial: int, tables: Iterable[pa.Table], *, first_seq: int = 0) -> Part:
    """Writes tables (of the kind's schema, together at least one row) as one part file, durable when it returns.

    Raises `StorageUnavailable`.
    """
    name = f"{kind}-{serial:010d}.parquet"
    measure = _Measure(kind)
    try:
        with (directory / name).open("wb") as file:
            with _writer(file, kind) as writer:
                for group in _row_groups(tables, ROW_GROUP if kind == "decisions" else SCANNED_GROUP):
                    measure.see(group)
                    writer.write_table(group, row_group_size=group.num_rows)
            file.flush()
            os.fsync(file.fileno())
            size = file.tell()
    except OSError as error:
        raise StorageUnavailable(f"The lake cannot be written: {error}", at=str(directory / name)) from error
    return measure.part(name, size, first_seq)


def read_part(directory: Path, part: Part, columns: Sequence[str]) -> pa.Table:
    """Some columns of a whole part, in their order. Raises `Corrupt`."""
    with open_part(directory, part) as file:
        return with_columns(file.read(columns=list(columns), use_threads=False), part.kind, columns)


def complete(table: pa.Table, kind: Kind) -> pa.Table:
    """All columns of a kind, in their order: those that its part was written too early to have are empty."""
    schema = SCHEMAS[kind]
    if table.column_names == schema.names:
        return table
    return pa.table(with_columns(table, kind, schema.names).columns, schema=schema)


def with_columns(table: pa.Table, kind: Kind, names: Sequence[str]) -> pa.Table:
    """These columns of a kind, in this order; those that it was written too early to have are empty."""
    if table.column_names == list(names):
        return table
    had = set(table.column_names)
    return pa.table({name: table[name] if name in had else _empty(kind, name, table.num_rows) for name in names})


def _empty(kind: Kind, name: str, n: int) -> pa.Array:
    of = SCHEMAS[kind].field(name).type
    nothing: str | float | list[float] = "" if pa.types.is_string(of) else 0.0 if pa.types.is_floating(of) else []
    return pa.repeat(pa.scalar(nothing, of), n)


def open_part(directory: Path, part: Part, *, dictionaries: bool = True) -> pq.ParquetFile:
    """The file of a part; `dictionaries` leaves actions encoded. Raises `Corrupt` when it is missing, cut short or another."""
    encoded = ["actions"] if dictionaries and part.kind == "decisions" else None
    try:
        file = pq.ParquetFile(directory / part.name, read_dictionary=encoded)
    except (OSError, pa.ArrowInvalid) as error:
        raise Corrupt(f"Expected a Parquet file of {part.rows} rows: {error}", at=str(directory / part.name)) from None
    if file.metadata.num_rows != part.rows:
        found = file.metadata.num_rows
        file.close()
        raise Corrupt(f"Expected {part.rows} rows, got {found}", at=str(directory / part.name))
    return file


def _writer(file: object, kind: Kind) -> pq.ParquetWriter:
    schema = SCHEMAS[kind]
    names = set(schema.names)
    dictionaries = [name for name in _DICTIONARIES if name in names]
    deltas = {name: encoding for name, encoding in _DELTAS.items() if name in names}
    return pq.ParquetWriter(
        file,
        schema,
        compression={name: _compression(kind, name) for name in schema.names},
        use_dictionary=dictionaries,
        column_encoding=deltas,
        write_statistics=[time_column(kind)],
    )


def _compression(kind: Kind, name: str) -> str:
    if name in _RANDOM or name in _DELTAS:
        return "none"
    return "lz4" if kind in {"labels", "metrics", "unmatched"} else "zstd"


def _row_groups(tables: Iterable[pa.Table], most: int) -> Iterator[pa.Table]:
    """The same rows in tables of at least `most` rows (and less than twice that), or fewer where the rows are fat."""
    held: list[pa.Table] = []
    rows = size = 0
    for table in tables:
        for piece in _pieces(table, most):
            held.append(piece)
            rows += piece.num_rows
            size += piece.nbytes
            if rows >= most or size >= GROUP_BYTES:
                yield pa.concat_tables(held)
                held, rows, size = [], 0, 0
    if rows:
        yield pa.concat_tables(held)


def _pieces(table: pa.Table, most: int) -> Iterator[pa.Table]:
    for start in range(0, table.num_rows, most):
        yield table.slice(start, most)


class _Measure:
    """What the manifest says about a part, gathered while it is written."""

    def __init__(self, kind: Kind) -> None:
        self._kind = kind
        self._rows = 0
        self._times: list[int] = []
        self._keys: list[int] = []
        self._sums = (0, 0)

    def see(self, table: pa.Table) -> None:
        self._rows += table.num_rows
        bounds = pc.min_max(table[time_column(self._kind)]).as_py()
        self._times = [min([bounds["min"], *self._times[:1]]), max([bounds["max"], *self._times[1:]])]
        if self._kind in INDEXED:
            hi, _ = key_words(table["event_key"])
            self._keys = [min([int(hi.min()), *self._keys[:1]]), max([int(hi.max()), *self._keys[1:]])]
        if self._kind == "labels":
            words = key_words(table["event_key"])
            self._sums = add(self._sums, label_sums(*words, table["reward"].to_numpy(), table["closed_at"].to_numpy()))

    def part(self, name: str, size: int, first_seq: int) -> Part:
        low, high = self._keys or (0, 0)
        return Part(
            kind=self._kind,
            name=name,
            rows=self._rows,
            size=size,
            min_at=self._times[0],
            max_at=self._times[1],
            first_seq=first_seq,
            min_key=low,
            max_key=high,
            sums=self._sums,
        )
