"""The names in a log's directory: which writer wrote which segment, in which order. No segment is opened here.

`{writer}-{number:06d}.segment` is a segment, `{writer}.lock` says that the writer lives, `*.new` is a segment being made,
`*.salvaging` and `*.salvaged` one being repaired, `*.corrupt` one put aside.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from rewardloop.errors import InvalidInput, StorageUnavailable

_SEGMENT = re.compile(r"([A-Za-z0-9][A-Za-z0-9_.-]{0,127})-(\d{6,12})\.segment")
_WRITER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")

NEW = ".new"
LOCK = ".lock"


class Segment(NamedTuple):
    """Segments of one writer sort in the order they were written."""

    writer: str
    number: int

    @property
    def name(self) -> str:
        return f"{self.writer}-{self.number:06d}.segment"

    @classmethod
    def parse(cls, name: str) -> Segment | None:
        """The segment a file name stands for.

        >>> Segment.parse("w-7-000012.segment"), Segment.parse("w-7-000012.segment.new")
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
