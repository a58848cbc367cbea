"""Retention: what every consumer has read, and is old, goes."""

from __future__ import annotations

from pathlib import Path

from rewardloop.log.contract import Cursor
from rewardloop.log.faults import read_error
from rewardloop.log.header import read_header
from rewardloop.log.place import positions
from rewardloop.log.segment import Listing, Segment, names


def prune(directory: Path, consumed: Cursor, before: int) -> int:
    """Deletes sealed segments that `consumed` has wholly read and whose newest record is older than `before` (µs); how many.

    Each writer's from the oldest on, up to the first that must stay, so a cursor never points behind a hole. May be killed
    and called again. Raises `CorruptSegment`, `StorageUnavailable`.
    """
    reached = positions(consumed)
    listing = Listing.of(names(directory))
    return sum(
        _prune_writer(directory, listing.segments[writer], reached[writer], before) for writer in listing.segments.keys() & reached
    )


def _prune_writer(directory: Path, segments: list[Segment], reached: tuple[int, int], before: int) -> int:
    for n, segment in enumerate(segments):
        if segment.number > reached[0] or not _may_go(directory / segment.name, segment.number < reached[0], reached[1], before):
            return n
        (directory / segment.name).unlink(missing_ok=True)
    return len(segments)


def _may_go(path: Path, passed: bool, seq: int, before: int) -> bool:
    try:
        header = read_header(path)
    except FileNotFoundError:
        return True
    except OSError as error:
        raise read_error(error, path) from error
    return header.sealed and header.last_at < before and (passed or header.last <= seq)
