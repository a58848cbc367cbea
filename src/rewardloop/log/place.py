"""Where reading goes on: a cursor laid upon what a directory holds."""

from __future__ import annotations

from dataclasses import dataclass

from rewardloop.log.contract import Cursor
from rewardloop.log.segment import Listing, Segment


@dataclass(slots=True)
class Place:
    """One writer: reading goes on after record `seq` of the first of `segments`."""

    segments: list[Segment]
    seq: int
    alive: bool

    @property
    def name(self) -> str:
        return self.segments[0].name

    def turn(self) -> None:
        """On to the next segment."""
        self.segments = self.segments[1:]
        self.seq = 0


def places(listing: Listing, cursor: Cursor) -> list[Place]:
    """A place for each writer that has something at or after the cursor, by name.

    >>> listing = Listing.of(["a-000001.segment", "a-000002.segment", "a-000003.segment", "b-000001.segment"])
    >>> [(place.name, place.seq) for place in places(listing, Cursor({"a-000002.segment": 5}))]
    [('a-000002.segment', 5), ('b-000001.segment', 0)]
    """
    reached = positions(cursor)
    found = (
        _place(segments, *reached.get(writer, (0, 0)), alive=writer in listing.locked)
        for writer, segments in listing.segments.items()
    )
    return [place for place in found if place.segments]


def positions(cursor: Cursor) -> dict[str, tuple[int, int]]:
    """Writer → (number of the segment reached, last number read of it). All its earlier segments have been read."""
    reached: dict[str, tuple[int, int]] = {}
    for name, seq in cursor.positions.items():
        segment = Segment.parse(name)
        if segment:
            reached[segment.writer] = max(reached.get(segment.writer, (0, 0)), (segment.number, seq))
    return reached


def _place(segments: list[Segment], number: int, seq: int, *, alive: bool) -> Place:
    ahead = [segment for segment in segments if segment.number >= number]
    return Place(ahead, seq if ahead and ahead[0].number == number else 0, alive)
