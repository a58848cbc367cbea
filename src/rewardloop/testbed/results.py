"""The results file: a line of JSON a finished cell, appended and on disk before it counts. A torn last line is cut off."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from rewardloop.durable import storage
from rewardloop.errors import Corrupt
from rewardloop.testbed.cell import Cell, Row


class Results:
    """All rows of a file, and a pen. A context manager; one process writes."""

    def __init__(self, path: Path) -> None:
        with storage(path):
            self._file = path.open("a+b")
            self.rows = self._read(path)

    def add(self, row: Row) -> None:
        """On disk when this returns."""
        self._file.write(msgspec.json.encode(row) + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        self.rows.append(row)

    def n_of(self, wanted: Iterable[Cell]) -> int:
        """How many of these cells are finished."""
        done = {row.key for row in self.rows}
        return sum(cell.key in done for cell in wanted)

    def _read(self, path: Path) -> list[Row]:
        """Raises `Corrupt` for a file that holds something else; the line that a kill tore is taken off."""
        self._file.seek(0)
        content = self._file.read()
        whole = content.rfind(b"\n") + 1
        try:
            rows = [msgspec.json.decode(line, type=Row) for line in content[:whole].splitlines()]
        except msgspec.MsgspecError as error:
            self._file.close()
            raise Corrupt(f"Expected results of the testbed in `{path}`: {error}; name another file") from None
        self._file.truncate(whole)
        return rows

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._file.close()


def read_results(path: Path) -> list[Row]:
    """The rows of a file, changing nothing; raises `Corrupt`. A torn last line is passed over."""
    with storage(path):
        content = path.read_bytes()
    try:
        return [msgspec.json.decode(line, type=Row) for line in content[: content.rfind(b"\n") + 1].splitlines()]
    except msgspec.MsgspecError as error:
        raise Corrupt(f"Expected results of the testbed in `{path}`: {error}") from None
