"""Finding everything the log knows about one event. A scan, for audits; nothing on a hot path asks this."""

from __future__ import annotations

from pathlib import Path

from rewardloop.events import Record
from rewardloop.log.codec import instant
from rewardloop.log.segment import Listing, Segment, names
from rewardloop.log.segment_reader import SegmentReader


def find(directory: Path, event_id: str) -> list[Record]:
    """The decision, the rewards and the activation of an event, in order of time. Raises `CorruptSegment`, `StorageUnavailable`.

    The id's bytes are looked for first, so few records are decoded, and damage to other records is not noticed. Every segment
    is looked at: a reward may stand far from its decision, in any writer's segment.
    """
    segments = [segment for of_writer in Listing.of(names(directory)).segments.values() for segment in of_writer]
    found = [record for segment in segments for record in _of_segment(directory, segment, event_id)]
    return sorted(found, key=instant)


def _of_segment(directory: Path, segment: Segment, event_id: str) -> list[Record]:
    try:
        reader = SegmentReader(directory / segment.name)
    except FileNotFoundError:
        return []
    try:
        return [record for record in reader.containing(event_id.encode()) if record.event_id == event_id]
    finally:
        reader.close()
