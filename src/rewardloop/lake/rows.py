"""Fetching decisions by their numbers, a row group at a time, the most recently used kept in memory up to a bound."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from rewardloop.interactions import Ints
from rewardloop.lake.manifest import Part
from rewardloop.lake.parts import open_part, with_columns

CACHE_BYTES = 128 << 20
TAKEN_BYTES = 32 << 20
MAX_FILES = 64


class DecisionRows:
    """Chosen columns of the decisions in `parts`. Use as a context manager: it holds files open."""

    def __init__(self, directory: Path, parts: Sequence[Part], columns: Sequence[str]) -> None:
        self._directory = directory
        self._parts = parts
        self._starts = np.array([part.first_seq for part in parts], np.int64)
        self._columns = list(columns)
        self._files: OrderedDict[str, pq.ParquetFile] = OrderedDict()
        self._groups: dict[str, Ints] = {}
        self._cache: OrderedDict[tuple[str, int], pa.Table] = OrderedDict()
        self._cached = 0

    def take(self, seq: Ints) -> pa.Table:
        """(n rows) the decisions of these numbers, in the order given. Raises `Corrupt`."""
        order = np.argsort(seq, kind="stable")
        wanted = seq[order]
        pieces: list[pa.Table] = []
        done = 0
        while done < len(wanted):
            table, first = self._around(int(wanted[done]))
            end = int(np.searchsorted(wanted, first + table.num_rows))
            pieces.append(_with_own_words(table.take(wanted[done:end] - first)))
            done = end
        if not pieces:
            return self._around(int(self._starts[0]))[0].slice(0, 0)
        back = np.empty_like(order)
        back[order] = np.arange(len(order))
        rows = pa.concat_tables(pieces).unify_dictionaries().combine_chunks()
        return rows if (back[1:] > back[:-1]).all() else rows.take(back)

    def at_once(self, seq: Ints) -> int:
        """How many of these rows to take together: about `TAKEN_BYTES` of them uncompressed; one at least."""
        touched = np.unique(np.searchsorted(self._starts, seq, "right") - 1)
        largest = max((_row_bytes(self._file(self._parts[i]).metadata) for i in touched), default=0)
        return max(1, TAKEN_BYTES // max(largest, 1))

    def _around(self, seq: int) -> tuple[pa.Table, int]:
        """The row group that holds a decision, and the number of its first."""
        part = self._parts[int(np.searchsorted(self._starts, seq, "right")) - 1]
        firsts = self._firsts(part)
        number = int(np.searchsorted(firsts, seq, "right")) - 1
        return self._group(part, number), int(firsts[number])

    def _firsts(self, part: Part) -> Ints:
        if part.name not in self._groups:
            metadata = self._file(part).metadata
            sizes = [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)]
            self._groups[part.name] = part.first_seq + np.cumsum([0, *sizes[:-1]])
        return self._groups[part.name]

    def _group(self, part: Part, number: int) -> pa.Table:
        key = (part.name, number)
        if key not in self._cache:
            table = self._file(part).read_row_group(number, columns=self._columns, use_threads=False)
            table = with_columns(table, part.kind, self._columns)
            self._cache[key] = table
            self._cached += table.nbytes
            while self._cached > CACHE_BYTES and len(self._cache) > 1:
                self._cached -= self._cache.popitem(last=False)[1].nbytes
        self._cache.move_to_end(key)
        return self._cache[key]

    def _file(self, part: Part) -> pq.ParquetFile:
        if part.name not in self._files:
            self._files[part.name] = open_part(self._directory, part)
            if len(self._files) > MAX_FILES:
                self._files.popitem(last=False)[1].close()
        self._files.move_to_end(part.name)
        return self._files[part.name]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for file in self._files.values():
            file.close()
        self._cache.clear()
        pa.default_memory_pool().release_unused()  # Else a loop that runs for ever keeps what the largest reading took.


def _with_own_words(rows: pa.Table) -> pa.Table:
    """Without the words of other rows, which a dictionary keeps: of large action sets those are most of a row group."""
    for i, column in enumerate(rows.columns):
        if pa.types.is_dictionary(column.type) and sum(len(chunk.dictionary) for chunk in column.chunks) > len(column):
            rows = rows.set_column(i, rows.field(i).name, column.cast(column.type.value_type).dictionary_encode())
    return rows


def _row_bytes(metadata: pq.FileMetaData) -> int:
    total = sum(metadata.row_group(i).total_byte_size for i in range(metadata.num_row_groups))
    return int(total // max(metadata.num_rows, 1))
