"""EnergyPlus's tables of moist air, folded: as large as a processor's cache instead of 48 MB. Linux only.

EnergyPlus keeps what it computed of wet bulb and saturation pressure in two tables of a million entries, an entry where the bits
of the arguments say. Every new value lies in some other page, so it misses every cache, and after a fork copies the page. Folded,
the same few pages stand over and over in the tables' place. Nothing else changes: an entry names its arguments, what is written
over is computed again, and either value is a function of those arguments alone, so that every result has the bits it had.

The two further tables of the same object stay as large as they are: their values depend on who asked first.
"""

from __future__ import annotations

import os
import struct
from ctypes import CDLL, c_double, c_int, c_long, c_size_t, c_uint64, c_void_p, get_errno, memmove
from mmap import MAP_ANONYMOUS, MAP_PRIVATE, MAP_SHARED, PAGESIZE, PROT_READ, PROT_WRITE
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pyenergyplus.api import EnergyPlusAPI

_PAGE: Final = 4096
_N: Final = 1 << 20
"""Entries of a table."""

_WET_BULB: Final = 8
"""Where the first table begins in the object, behind the pointer to its methods: (3 tags, value) an entry."""

_SATURATION: Final = _WET_BULB + 32 * _N
"""(tag, value) an entry."""

_REST: Final = _SATURATION + 16 * _N
_PRECISION: Final = _REST + 24 * _N
"""A number between the two tables that stay."""

_SIZE: Final = _PRECISION + 8 + 24 * _N
_CHUNK: Final = _SIZE // _PAGE * _PAGE + _PAGE
"""What the allocator maps for the object; it notes that size before it."""

_EMPTY: Final = (struct.pack("4Q", 0, 0, 0, 0), struct.pack("qd", -1000, 0.0))
"""An entry of each table before its first use. Not all of them zero: that would be the saturation pressure at 0 °C."""

_FOLDED: Final = (64 * _PAGE, 32 * _PAGE)
"""Bytes of each table: 8,192 entries. Fewer would stand closer to the processor, but every child maps each place anew."""

_STATE_BYTES: Final = 1 << 13
_MAP_FIXED, _DONTNEED, _DONTFORK, _HUGEPAGE = 0x10, 4, 10, 14
_PROBES: Final = ((21.3, 0.0081, 40000.0), (-7.9, 0.0017, 41000.0), (33.1, 0.0203, 42000.0))
"""°C, kg/kg, Pa: air at pressures at which no building stands."""


class Tables:
    """Those of one EnergyPlus. Where they are not found exactly as expected, in size, place, content and behaviour, they stay."""

    def __init__(self, library: EnergyPlusAPI) -> None:
        self._library = library
        self._region = self._slot = self._object = 0

    @property
    def folded(self) -> bool:
        return self._region != 0

    def fold(self, state: int) -> None:
        """To be called before anything runs with that state; raises `OSError` where there is no memory."""
        if PAGESIZE != _PAGE or not hasattr(os, "memfd_create") or (found := _slot(state)) is None:
            return
        slot, object_ = found
        if not self._behaves(state, object_):
            return
        region = _map(0, _PAGE + _CHUNK, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        _LIBC.madvise(region, _PAGE + _CHUNK, _HUGEPAGE)
        try:
            _fill(region)
        except OSError:
            _LIBC.munmap(region, _PAGE + _CHUNK)
            raise
        moved = region + _PAGE - _WET_BULB
        for at in (0, _PRECISION):
            memmove(moved + at, object_ + at, 8)
        c_uint64.from_address(slot).value = moved
        _LIBC.madvise(object_ - 16 + _PAGE, _CHUNK - 2 * _PAGE, _DONTNEED)
        self._region, self._slot, self._object = region, slot, object_

    def renew(self) -> None:
        """In a process just forked, which did not inherit the pages: its own, empty. Raises `OSError`."""
        if self._region:
            _fill(self._region)

    def unfold(self) -> None:
        """To be called before the state is deleted, which frees what it came with. Nothing may run with it any more."""
        if self._region:
            c_uint64.from_address(self._slot).value = self._object
            _LIBC.munmap(self._region, _PAGE + _CHUNK)
            self._region = 0

    def _behaves(self, state: int, object_: int) -> bool:
        """Whether what EnergyPlus computes appears where it should, under the tags it should: the layout, proved by use."""
        wet_bulb_of, saturation_of = self._library.api["psyTwbFnTdbWPb"], self._library.api["psyPsatFnTemp"]
        wet_bulb_of.restype, wet_bulb_of.argtypes = c_double, [c_void_p, c_double, c_double, c_double]
        saturation_of.restype, saturation_of.argtypes = c_double, [c_void_p, c_double]
        for celsius, humidity, pascal in _PROBES:
            wet_bulb, saturation = wet_bulb_of(state, celsius, humidity, pascal), saturation_of(state, celsius)
            tags = [bits >> 32 for bits in struct.unpack("3Q", struct.pack("3d", celsius, humidity, pascal))]
            index = (tags[0] ^ tags[1] ^ tags[2]) % _N
            if _read(object_ + _WET_BULB + 32 * index, 32) != struct.pack("3Qd", *tags, wet_bulb):
                return False
            (tag,) = struct.unpack("q", struct.pack("d", celsius))
            entry = struct.pack("qd", tag >> 28, saturation)
            if _read(object_ + _SATURATION + 16 * ((tag >> 28) % _N), 16) != entry:
                return False
        return True


def _slot(state: int) -> tuple[int, int] | None:
    """Where the state holds the object, and the object; none where not exactly one looks like it."""
    words = struct.unpack(f"{_STATE_BYTES // 8}Q", _read(state, _STATE_BYTES).ljust(_STATE_BYTES, b"\0"))
    found = [(state + 8 * i, word) for i, word in enumerate(words) if word % _PAGE == 16 and _is_empty(word)]
    return found[0] if len(found) == 1 else None


def _is_empty(object_: int) -> bool:
    """By the allocator's note of its size, and what is in its tables before their first use."""
    if _read(object_ - 8, 8) != struct.pack("Q", _CHUNK | 2):
        return False
    starts = ((_WET_BULB, _EMPTY[0]), (_SATURATION, _EMPTY[1]), (_REST, bytes(24)), (_PRECISION + 8, bytes(24)))
    return all(_read(object_ + start, 64 * len(empty)) == 64 * empty for start, empty in starts)


def _read(address: int, n: int) -> bytes:
    """Memory of this process, nothing where there is none: a wrong guess must not end it."""
    try:
        with open("/proc/self/mem", "rb", buffering=0) as memory:
            return os.pread(memory.fileno(), n, address)
    except (OSError, OverflowError):
        return b""


def _fill(region: int) -> None:
    """Both tables' pages, over and over; a process forked from this one does not inherit them."""
    at = region + _PAGE
    for entry_bytes, empty, folded in zip((32, 16), _EMPTY, _FOLDED, strict=True):
        pages = os.memfd_create("tables", os.MFD_CLOEXEC)
        try:
            os.write(pages, empty * (folded // entry_bytes))
            end = at + entry_bytes * _N
            for start in range(at, end, folded):
                _map(start, folded, MAP_SHARED | _MAP_FIXED, pages, 0)
        finally:
            os.close(pages)
        at = end
    if _LIBC.madvise(region + _PAGE, at - region - _PAGE, _DONTFORK):
        raise OSError(get_errno(), os.strerror(get_errno()))


def _map(address: int, size: int, flags: int, fd: int, offset: int) -> int:
    made: int = _LIBC.mmap(address, size, PROT_READ | PROT_WRITE, flags, fd, offset)
    if made == c_void_p(-1).value:
        raise OSError(get_errno(), os.strerror(get_errno()))
    return made


def _libc() -> CDLL:
    libc = CDLL(None, use_errno=True)
    libc.mmap.restype, libc.mmap.argtypes = c_void_p, [c_void_p, c_size_t, c_int, c_int, c_int, c_long]
    libc.munmap.argtypes, libc.madvise.argtypes = [c_void_p, c_size_t], [c_void_p, c_size_t, c_int]
    return libc


_LIBC: Final = _libc()
