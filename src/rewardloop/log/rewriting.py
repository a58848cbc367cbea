"""Sealed segments written anew with some records changed: the same numbers, commits and instants, so no cursor notices."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from rewardloop.durable import sync
from rewardloop.events import Record
from rewardloop.log.appender import Appender
from rewardloop.log.codec import Row, decode, encode
from rewardloop.log.faults import corrupt, write_error
from rewardloop.log.frame import Frame
from rewardloop.log.header import read_header
from rewardloop.log.segment import NEW, Listing, Segment, names
from rewardloop.log.segment_file import START, SegmentFile

Change = Callable[[Record], Record]


class Rewritten(NamedTuple):
    """What became of a log."""

    records: int
    """That were changed."""
    left: tuple[str, ...]
    """Segments that hold records to be changed, and are still being written, or were put aside as damaged."""


def rewrite(directory: Path, change: Change) -> Rewritten:
    """Puts `change(record)` in the place of every record, of the same kind and instant, in all sealed segments.

    Whole segments are replaced, one after the other: killed and called again, it goes on. One process at a time. Raises
    `CorruptSegment`, `StorageUnavailable`.
    """
    n, left = 0, [name for name in names(directory) if name.endswith((".corrupt", ".salvaging"))]
    for segments in Listing.of(names(directory)).segments.values():
        for segment in segments:
            n_changed = _changes(directory / segment.name, change)
            if n_changed and not read_header(directory / segment.name).sealed:
                left.append(segment.name)
            elif n_changed:
                _write_anew(directory, segment, change)
                n += n_changed
    return Rewritten(n, tuple(sorted(left)))


def _changes(path: Path, change: Change) -> int:
    with closing(SegmentFile(path)) as file:
        frames = (frame for commit in file.commits(START) for frame in commit.frames)
        return sum(change(record) != record for frame in frames for record in _records(path, frame))


def _write_anew(directory: Path, segment: Segment, change: Change) -> None:
    path, new = directory / segment.name, directory / f"{segment.name}{NEW}"
    try:
        with closing(SegmentFile(path)) as file, closing(Appender.fresh(new, to_disk=False)) as copy:
            for commit in file.commits(START):
                first = commit.frames[0]
                copy.skip(first.last - first.n)
                copy.append([_row(path, frame, change) for frame in commit.frames])
            copy.seal(salvaged=file.header().salvaged)
        os.replace(new, path)
        sync(directory)
    except OSError as error:
        raise write_error(error, path) from error


def _row(path: Path, frame: Frame, change: Change) -> Row:
    (row,) = encode([change(record) for record in _records(path, frame)])
    return row


def _records(path: Path, frame: Frame) -> list[Record]:
    try:
        return decode([frame.payload])
    except ValueError as error:
        raise corrupt(path, f"a record that does not decode ({error})") from error
