"""The names in a log's directory: which writer wrote which segment, in which order. No SQLite here.

`{writer}-{number:06d}.db` is a segment (with SQLite's `-wal` and `-shm` beside it while it is written), `{writer}.lock` says
that the writer lives, `*.new` is a segment being made, `*.salvaging` and `*.salvaged` one being
repaired, `*.corrupt` one put aside.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from rewardloop.errors import InvalidInput, StorageUnavailable

_SEGMENT = re.compile(r"([A-Za-z0-9][A-Za-z0-9_.-]{0,127})-(\d{6,12})\.db")
_WRITER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")

COMPANIONS = ("-wal", "-shm", "-journal")
NEW = ".new"
LOCK = ".lock"


class Segment(NamedTuple):
    """Segments of one writer sort in the order they were written."""

    writer: str
    number: int

    @property
    def name(self) -> str:
        return f"{self.writer}-{self.number:06d}.db"

    @classmethod
    def parse(cls, name: str) -> Segment | None:
        """The segment a file name stands for.

        >>> Segment.parse("w-7-000012.db"), Segment.parse("w-7-000012.db-wal")
        (Segment(writer='w-7', number=12), None)
        """
        match = _SEGMENT.fullmatch(name)
        return cls(match[1], int(match[2])) if match else None


class Listing(NamedTuple):
    """What a directory holds."""

    segments: dict[str, list[Segment]]
    """Writer → its segments, oldest first."""
    locked: frozenset[str]
    """Writers with a lock file: alive, or dead without a farewell."""

    @classmethod
    def of(cls, names: Iterable[str]) -> Listing:
        segments: dict[str, list[Segment]] = {}
        for segment in sorted(filter(None, map(Segment.parse, names))):
            segments.setdefault(segment.writer, []).append(segment)
        return cls(segments, frozenset(name.removesuffix(LOCK) for name in names if name.endswith(LOCK)))


def names(directory: Path) -> list[str]:
    """File names, in no order; none while the directory does not exist. Raises `StorageUnavailable`."""
    try:
        return os.listdir(directory)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StorageUnavailable(f"Cannot list the log's directory `{directory}`: {error.strerror}") from error


def check_writer(writer: str) -> str:
    """The name itself, if a file can be called after it; raises `InvalidInput`."""
    if not _WRITER.fullmatch(writer):
        raise InvalidInput(f"Expected a writer's name of 1 to 128 letters, digits, `_`, `.` and `-`, got `{writer}`")
    return writer


def remove(path: Path) -> None:
    """Deletes a segment with its companions, the segment first: what a kill leaves behind is never read."""
    for file in (path, *(Path(f"{path}{suffix}") for suffix in COMPANIONS)):
        file.unlink(missing_ok=True)


def wal_size(path: Path) -> int:
    """Bytes in a segment's WAL: more than none means records that are not yet in its file."""
    try:
        return os.stat(f"{path}-wal").st_size
    except FileNotFoundError:
        return 0
