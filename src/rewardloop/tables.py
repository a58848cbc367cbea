"""Rows of features that are numbers under the same names, as one block of doubles, which is read by columns.

What many requests bring is kept like this until it is decided on: a thousand dictionaries take seven times as much, and are in no
processor's cache. What the names mean is nobody's business here.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Self, overload

import numpy as np
import numpy.typing as npt

from rewardloop.features import Features


class Table(Sequence[Features]):
    """n rows of m numbers. They become dictionaries, once and for all, when the first of them is asked for.

    >>> table = Table.of(("price", "age"), [(3.0, 1.0), (5.0, 2.0)])
    >>> len(table), table[1], table.values[:, 0]
    (2, {'price': 5.0, 'age': 2.0}, array([3., 5.]))
    """

    __slots__ = ("_packed", "_rows", "names")

    def __init__(self, names: tuple[str, ...], packed: bytes) -> None:
        self.names = names
        self._packed = packed
        self._rows: list[Features] | None = None

    @classmethod
    def of(cls, names: tuple[str, ...], rows: Sequence[tuple[float, ...]]) -> Self:
        """Of numbers in the order of the names, of which there is at least one."""
        return cls(names, struct.pack(f"{len(rows) * len(names)}d", *chain.from_iterable(rows)))

    @classmethod
    def joined(cls, parts: Sequence[Table]) -> Self | None:
        """The rows of all parts, one behind the other; None where their names differ.

        >>> age = Table.of(("age",), [(1.0,)])
        >>> Table.joined([age, age]).values.tolist(), Table.joined([age, Table.of(("price",), [(1.0,)])])
        ([[1.0], [1.0]], None)
        """
        names = parts[0].names
        alike = all([part.names == names for part in parts])  # noqa: C419 - a generator costs twice as much
        return cls(names, b"".join([part._packed for part in parts])) if alike else None

    @property
    def values(self) -> npt.NDArray[np.float64]:
        """(n, m)"""
        return np.frombuffer(self._packed).reshape(-1, len(self.names))

    def __len__(self) -> int:
        return len(self._packed) // (8 * len(self.names))

    def __iter__(self) -> Iterator[Features]:
        return iter(self._made())

    @overload
    def __getitem__(self, index: int) -> Features: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Features]: ...

    def __getitem__(self, index: int | slice) -> Features | Sequence[Features]:
        return self._made()[index]

    def _made(self) -> list[Features]:
        if self._rows is None:
            self._rows = [dict(zip(self.names, row, strict=True)) for row in self.values.tolist()]
        return self._rows
