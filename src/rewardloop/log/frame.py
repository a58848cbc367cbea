"""The bytes of a segment after its header: frames, each with a mark, a length, a number and a checksum. No files here.

    mark 4 | CRC-32 4 | length 4 | records · 2 + more 4 | number of the last record 8 | payload

little-endian; the checksum is of all that follows it. A commit is one or more frames, written at once: in all but the last
`more` is set, so a commit that was cut off, though between two frames, is known for what it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate
from struct import Struct
from typing import NamedTuple
from zlib import crc32

from rewardloop.log.codec import Row

MARK = b"\xffRL\xfe"
"""Where a frame begins. No UTF-8 text holds these bytes, so no client can place them."""

_HEAD = Struct("<4sIIIQ")
_TAIL = Struct("<IIQ")
"""The head after its checksum."""
_pack_tail = _TAIL.pack
SIZE = _HEAD.size
_CHECKED = SIZE - _TAIL.size


class Frame(NamedTuple):
    """The `n` records numbered up to `last`."""

    last: int
    n: int
    more: bool
    """Whether the next frame belongs to the same commit."""
    payload: memoryview
    end: int
    """Where the next frame begins in the bytes that this one was found in."""


def pack(rows: Sequence[Row], last: int) -> bytes:
    """One commit, of records numbered from `last` + 1.

    >>> [(frame.last, frame.n, frame.more, bytes(frame.payload)) for frame in frames(pack([(2, b"ab"), (1, b"c")], 5))]
    [(7, 2, True, b'ab'), (8, 1, False, b'c')]
    """
    if len(rows) == 1:
        n, payload = rows[0]
        return _pack(payload, n << 1, last + n)
    lasts = list(accumulate((n for n, _ in rows), initial=last))[1:]
    return b"".join(
        _pack(payload, n << 1 | (i < len(rows)), last) for i, ((n, payload), last) in enumerate(zip(rows, lasts, strict=True), 1)
    )


def frames(data: bytes, at: int = 0) -> Iterator[Frame]:
    """Whole frames, one behind the other, from `at` on, up to the first that is cut off or damaged."""
    view = memoryview(data)
    while frame := _frame(view, at):
        yield frame
        at = frame.end


def claimed_size(data: bytes) -> int:
    """How many bytes the frame at the beginning of `data` says it has; 0 where no frame begins."""
    if len(data) < SIZE or not data.startswith(MARK):
        return 0
    return SIZE + int(_HEAD.unpack_from(data)[2])


def resume(data: bytes, at: int) -> Iterator[Frame]:
    """Whole frames from `at` on, across whatever lies between them.

    >>> [frame.last for frame in resume(b"rubble" + pack([(1, b"a")], 0) + MARK + pack([(1, b"b")], 6), 0)]
    [1, 7]
    """
    view = memoryview(data)
    while (at := data.find(MARK, at)) >= 0:
        frame = _frame(view, at)
        if frame:
            yield frame
        at = frame.end if frame else at + 1


def _pack(payload: bytes, n_more: int, last: int) -> bytes:
    tail = _pack_tail(len(payload), n_more, last)
    return b"".join((MARK, crc32(payload, crc32(tail)).to_bytes(4, "little"), tail, payload))


def _frame(view: memoryview, at: int) -> Frame | None:
    start = at + SIZE
    if start > len(view):
        return None
    mark, checksum, length, n_more, last = _HEAD.unpack_from(view, at)
    end = start + length
    if mark != MARK or end > len(view):
        return None
    payload = view[start:end]
    if crc32(payload, crc32(view[at + _CHECKED : start])) != checksum:
        return None
    return Frame(last, n_more >> 1, bool(n_more & 1), payload, end)
