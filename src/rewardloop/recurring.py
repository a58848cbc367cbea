"""What was made of bytes that come again and again, kept so that it is not made anew. Bounded; knows nothing of what is kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Generic, TypeVar

T = TypeVar("T")

MAX_KEPT: Final = 128
MAX_BYTES: Final = 16_384
"""What was made of more is not kept."""
MAX_SEEN: Final = 1_024


class Newcomers:
    """Whether bytes come for the first time, as far as is remembered.

    >>> new = Newcomers()
    >>> new.is_new(b"[1, 2]"), new.is_new(b"[1, 2]"), new.is_new(b"[1, 3]")
    (True, False, True)
    """

    def __init__(self) -> None:
        self._seen: set[int] = set()

    def is_new(self, raw: bytes) -> bool:
        """By its hash; two that share one, of which the second is taken for the first, only cost time."""
        key = hash(raw)
        if key in self._seen:
            return False
        if len(self._seen) >= MAX_SEEN:
            self._seen.clear()
        self._seen.add(key)
        return True


class Recurring(Generic[T]):
    """`find` what was made; `keep` it. Only what comes twice is kept: keeping all would make each in memory that no cache holds.

    >>> kept = Recurring[int]()
    >>> [kept.keep(b"[1, 2]", 3), kept.find(b"[1, 2]"), kept.keep(b"[1, 2]", 3), kept.find(b"[1, 2]")]
    [None, None, None, 3]
    """

    def __init__(self) -> None:
        self._made: dict[bytes, T] = {}
        self._newcomers = Newcomers()
        self._latest: tuple[bytes, T | None] = b"", None

    def find(self, raw: bytes) -> T | None:
        """What was made of these bytes; None where it is not kept."""
        latest, made = self._latest
        if latest != raw:  # An eighth of the price of a hash, and clients send the same one after the other.
            made = self._made.get(raw)
            if made is not None:
                self._latest = raw, made
        return made

    def __len__(self) -> int:
        return len(self._made)

    def is_new(self, raw: bytes) -> bool:
        """Whether these come for the first time, or are too many to be kept; the next time they are not new."""
        return len(raw) > MAX_BYTES or self._newcomers.is_new(raw)

    def keep(self, raw: bytes, made: T) -> None:
        """What `find` did not know and was made."""
        if not self.is_new(raw):
            if len(self._made) >= MAX_KEPT:
                self._made.clear()
            self._made[raw] = made


def recurring(make: Callable[[bytes], T]) -> Callable[[bytes], T]:
    """A function of bytes, with what it made of those that recur kept. It must make the same of the same, and not None."""
    kept = Recurring[T]()
    find = kept.find

    def remembered(raw: bytes) -> T:
        made = find(raw)
        if made is None:
            made = make(raw)
            kept.keep(raw, made)
        return made

    return remembered
