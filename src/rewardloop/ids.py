"""Event ids, and the two uniform numbers that follow from one.

An id made here is a version 7 UUID (RFC 9562): 48 bits of milliseconds, 12 bits that name the experiment, 14 bits of check,
48 bits of counter. So any worker can tell, without asking a store, which experiment a reward belongs to and whether the id
was ever made here; a client's own id (any string) is accepted too, but then the reward must name its experiment.
"""

from __future__ import annotations

import uuid
import zlib
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from struct import Struct
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from rewardloop.clock import Clock

MAX_TAG = 0xFFF
_COUNTER = (1 << 48) - 1
_CHECK = 0x3FFF
_LAST_DIGITS = tuple([(b"%02x" % i, f"{i:02x}") for i in range(256)])
_TO_UNIT = 1.0 / (1 << 53)
_two_numbers = Struct("<QQ").unpack_from


class Draws(NamedTuple):
    """What is random about one decision, all of it a function of the experiment and the event id."""

    seed: int
    """64 bits, logged; `uniform(seed)` samples the action."""
    sample_prob: float
    """U[0, 1), logged; decides between training and evaluation for ever."""


class ManyDraws(NamedTuple):
    """`Draws` of n decisions."""

    seeds: list[int]
    sample_probs: list[float]
    uniforms: npt.NDArray[np.float64]
    """(n,) what samples the actions."""


class _Beginning(NamedTuple):
    """What the ids of one experiment and one millisecond have in common."""

    ms: int
    tag: int
    prefix: str
    crc: int
    """Of the check, up to the counter."""


class EventIds:
    """Makes ids and recognises them again. `key` is the data directory's salt; `start` must differ between processes.

    >>> from rewardloop.clock import ManualClock
    >>> ids = EventIds(ManualClock(), key=7, start=0)
    >>> first = ids.new(tag=3)
    >>> ids.tag(first), ids.tag(first[:-1] + "e"), ids.tag("order-17")
    (3, None, None)
    """

    def __init__(self, clock: Clock, *, key: int, start: int) -> None:
        self._clock = clock
        self._key = key
        self._counter = start & _COUNTER
        self._latest = _Beginning(-1, -1, "", 0)

    def new(self, tag: int, at: int | None = None) -> str:
        """The next, of an instant that the clock has told already or of now."""
        counter = self._counter = (self._counter + 1) & _COUNTER
        return _id(self._beginning(tag, self._clock.now() if at is None else at), counter)

    def many(self, tag: int, n: int) -> list[str]:
        """The next n, by one look at the clock."""
        start, self._counter = self._counter + 1, (self._counter + n) & _COUNTER  # First: another thread must not begin there.
        beginning, made = self._beginning(tag, self._clock.now()), list[str]()
        while len(made) < n:
            made += _ids(beginning, (start + len(made)) & _COUNTER, n - len(made))
        return made

    def tag(self, event_id: str) -> int | None:
        """The experiment's tag, or None if this directory never made the id."""
        if len(event_id) != 36 or event_id[14] != "7":
            return None
        try:
            number = int(event_id.replace("-", ""), 16)
        except ValueError:
            return None
        tag = (number >> 64) & MAX_TAG
        check = (number >> 48) & _CHECK
        return tag if check == _check(self._start_check(number >> 80, tag), number & _COUNTER) else None

    def _beginning(self, tag: int, at: int) -> _Beginning:
        """Of ids made at an instant. Dozens are made in one millisecond."""
        ms = at // 1000
        latest = self._latest
        if latest.ms != ms or latest.tag != tag:
            prefix = f"{ms >> 16:08x}-{ms & 0xFFFF:04x}-7{tag:03x}-"
            latest = self._latest = _Beginning(ms, tag, prefix, self._start_check(ms, tag))
        return latest

    def _start_check(self, ms: int, tag: int) -> int:
        return zlib.crc32(b"%x.%x.%x." % (self._key, ms, tag))


def _id(beginning: _Beginning, counter: int) -> str:
    _, _, prefix, crc = beginning
    return prefix + "%04x-%012x" % (0x8000 | (zlib.crc32(b"%x" % counter, crc) & _CHECK), counter)  # noqa: UP031 - half an f-string's cost


def _ids(beginning: _Beginning, counter: int, most: int) -> list[str]:
    """Of a counter and those behind it that have all digits but the last two in common, which are checked and written once."""
    high, low = divmod(counter, len(_LAST_DIGITS))
    if not high:  # Nothing is in front of the digits, and a zero in front of them is not checked.
        return [_id(beginning, counter)]
    crc, digits, crc32 = zlib.crc32(b"%x" % high, beginning.crc), f"-{high:010x}", zlib.crc32
    begun = beginning.prefix
    return [f"{begun}{0x8000 | (crc32(last, crc) & _CHECK):x}{digits}{text}" for last, text in _LAST_DIGITS[low : low + most]]


def _check(start: int, counter: int) -> int:
    return zlib.crc32(b"%x" % counter, start) & _CHECK


def draws(experiment: str, event_id: str) -> Draws:
    """Seed and sample_prob of an event: the same event asked twice gets the same answer.

    >>> draws("offers", "order-17") == draws("offers", "order-17") != draws("prices", "order-17")
    True
    """
    # All 64 bytes of the hash, of which 16 are used: asking for fewer takes longer.
    seed, sample_bits = _two_numbers(blake2b(_salted(experiment, event_id)).digest())
    return tuple.__new__(Draws, (seed, (sample_bits >> 11) * _TO_UNIT))  # `Draws(…)` does the same, by one call more


def draws_many(experiment: str, event_ids: Iterable[str]) -> ManyDraws:
    """`draws` of each, as columns, and `uniform` of each seed."""
    salt = _salted(experiment, "")
    hashes = b"".join([blake2b(salt + event_id.encode()).digest() for event_id in event_ids])
    numbers = np.frombuffer(hashes, "<u8").reshape(-1, 8)[:, :2]
    units: npt.NDArray[np.float64] = (numbers >> np.uint64(11)) * np.float64(_TO_UNIT)
    return ManyDraws(numbers[:, 0].tolist(), units[:, 1].tolist(), units[:, 0])


def _salted(experiment: str, event_id: str) -> bytes:
    # An experiment's name holds no NUL, so no two pairs hash the same text.
    return f"{experiment}\0{event_id}".encode()


def uniform(seed: int) -> float:
    """The U[0, 1) number that samples an action, from the seed that the log holds.

    >>> uniform(1 << 63)
    0.5
    """
    return (seed >> 11) * _TO_UNIT


def slot_seed(seed: int, position: int) -> int:
    """The seed that samples one slot of a decision: the decision's own for the first, a function of it for the others.

    >>> slot_seed(7, 0), slot_seed(7, 1) == slot_seed(7, 1) != slot_seed(7, 2)
    (7, True)
    """
    if not position:
        return seed
    own: int = _two_numbers(blake2b(b"slot %d of %d" % (position, seed)).digest())[0]
    return own


_SLOT, _PLACE = "\x1f", "\x1e"


class Part(NamedTuple):
    """What the id of one slot's part of a decision says."""

    event_id: str
    slot: str
    position: int
    """From 0; of a whole decision, too."""


def slot_event_id(event_id: str, slot: str, position: int | None = None) -> str:
    """The id under which one slot of an event is joined and learned from; its position is no part of its key.

    >>> part_of(slot_event_id("order-17", "top", 2)), part_of("order-17")
    (Part(event_id='order-17', slot='top', position=2), Part(event_id='order-17', slot='', position=0))
    """
    plain = slot.replace(_SLOT, " ").replace(_PLACE, " ")
    return f"{event_id}{_SLOT}{plain}" if position is None else f"{event_id}{_SLOT}{plain}{_PLACE}{position}"


def part_of(event_id: str) -> Part:
    """The event, the slot and the position that an id stands for."""
    event, _, slot = event_id.partition(_SLOT)
    slot, _, position = slot.partition(_PLACE)
    return Part(event, slot, int(position) if position.isdecimal() else 0)


def decisions_of(event_ids: Sequence[str]) -> list[str] | None:
    """The decision that each id is (a slot) of; None where none is a slot's, so each is its own.

    >>> decisions_of(["a", slot_event_id("b", "top", 0), slot_event_id("b", "side", 1)]), decisions_of(["a", "b"])
    (['a', 'b', 'b'], None)
    """
    if not any(_SLOT in event_id for event_id in event_ids):
        return None
    return [event_id.partition(_SLOT)[0] for event_id in event_ids]


def unplaced(event_id: str) -> str:
    """The id that rewards of a slot go by: without its position.

    >>> unplaced(slot_event_id("order-17", "top", 2)) == slot_event_id("order-17", "top")
    True
    """
    return event_id.partition(_PLACE)[0] if _SLOT in event_id else event_id


def event_key(event_id: str) -> uuid.UUID:
    """A 128-bit key for the join: the id itself where it is a UUID, otherwise its BLAKE2b hash.

    >>> str(event_key("0190f7a0-0000-7003-8000-000000000001"))
    '0190f7a0-0000-7003-8000-000000000001'
    >>> event_key("order-17") == event_key("order-17") != event_key("order-18")
    True
    """
    if len(event_id) == 36 and event_id.count("-") == 4:
        try:
            return uuid.UUID(event_id)
        except ValueError:
            pass
    return uuid.UUID(bytes=blake2b(unplaced(event_id).encode(), digest_size=16).digest())
