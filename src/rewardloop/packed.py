"""Rows of features as MessagePack: a fifth of the memory of dictionaries, from which numbers can be read by columns.

What many requests bring is kept like this until it is decided on: a thousand dictionaries are in no processor's cache. Policies
read the columns (`policies.layouts`); what the names mean is nobody's business here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import overload

import msgspec

from rewardloop.features import Features

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Features]).decode


class Packed(Sequence[Features]):
    """Rows of floats and words that were packed. They become dictionaries, once and for all, when the first of them is asked for.

    >>> rows = Packed([{"price": 3.0, "kind": "film"}, {"price": 5.0, "kind": "book"}])
    >>> rows.names, len(rows), rows[1]
    (('price', 'kind'), 2, {'price': 5.0, 'kind': 'book'})
    """

    __slots__ = ("_packed", "_rows", "names")

    def __init__(self, rows: Sequence[Features]) -> None:
        self.names = tuple(rows[0])
        """Of the first row."""
        self._packed = _encode(rows)
        self._rows: list[Features] | None = None

    @property
    def body(self) -> bytes:
        """The rows one behind the other."""
        return self._packed[_head_size(len(self)) :]

    def __len__(self) -> int:
        first = self._packed[0]
        return first & 0x0F if first < 0xDC else int.from_bytes(self._packed[1 : 3 if first == 0xDC else 5], "big")

    def __iter__(self) -> Iterator[Features]:
        return iter(self._unpacked())

    @overload
    def __getitem__(self, index: int) -> Features: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Features]: ...

    def __getitem__(self, index: int | slice) -> Features | Sequence[Features]:
        return self._unpacked()[index]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and self._unpacked() == list(other)

    def __hash__(self) -> int:
        return hash(self._packed)

    def _unpacked(self) -> list[Features]:
        if self._rows is None:
            self._rows = _decode(self._packed)
        return self._rows


def _head_size(n: int) -> int:
    """Bytes of an array's length in MessagePack."""
    return 1 if n < 1 << 4 else 3 if n < 1 << 16 else 5
