"""Retention: what every consumer has read, and is old, goes."""

from __future__ import annotations

import os
from pathlib import Path

from rewardloop.log.contract import Cursor
from rewardloop.log.place import positions
from rewardloop.log.segment import COMPANIONS, Listing, Segment, names, remove
from rewardloop.log.segment_reader import SegmentReader


def prune(directory: Path, consumed: Cursor, before: int) -> int:
    """Deletes sealed segments that `consumed` has wholly read and whose newest record is older than `before` (µs); how many.

    Each writer's from the oldest on, up to the first that must stay, so a cursor never points behind a hole. May be killed
    and called again. Raises `CorruptSegment`, `StorageUnavailable`.
    """
    found = names(directory)
    _clear_orphans(directory, found)
    reached = positions(consumed)
    listing = Listing.of(found)
    return sum(
        _prune_writer(directory, listing.segments[writer], reached[writer], before) for writer in listing.segments.keys() & reached
    )


def _prune_writer(directory: Path, segments: list[Segment], reached: tuple[int, int], before: int) -> int:
    for n, segment in enumerate(segments):
        if segment.number > reached[0] or not _may_go(directory / segment.name, segment.number < reached[0], reached[1], before):
            return n
        remove(directory / segment.name)
    return len(segments)


def _may_go(path: Path, passed: bool, seq: int, before: int) -> bool:
    try:
        reader = SegmentReader(path)
    except FileNotFoundError:
        return True
    try:
        return reader.sealed() and reader.last_at() < before and (passed or reader.last() <= seq)
    finally:
        reader.close()


def _clear_orphans(directory: Path, found: list[str]) -> None:
    """Companions whose segment is gone: a kill between two deletions leaves them."""
    for name in found:
        segment = name[:-4]
        if name.endswith(COMPANIONS[:2]) and Segment.parse(segment) and not os.path.exists(directory / segment):
            (directory / name).unlink(missing_ok=True)
