"""Numbers of packed rows, read by columns: where they stand in rows that all have the same names. Nothing is scaled here."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from rewardloop.interactions import Floats
from rewardloop.packed import Packed

_encode = msgspec.msgpack.Encoder().encode
_DOUBLE = np.arange(8)


class Layout:
    """Where the numbers stand in packed rows that have these names, in this order, and floats under all of them."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names
        row = _encode(dict.fromkeys(names, 0.0))
        sizes = [len(_encode(name)) + 1 + len(_DOUBLE) for name in names]
        ends = len(row) - sum(sizes) + np.cumsum(sizes, dtype=np.intp)
        self._doubles = (ends[:, None] - len(_DOUBLE) + _DOUBLE).ravel()
        self._others = np.setdiff1d(np.arange(len(row)), self._doubles)
        """What stands between the numbers and is the same in each row: names, and the marks of floats."""
        self._expected = np.frombuffer(row, np.uint8)[self._others]

    def numbers(self, parts: Sequence[Packed]) -> Floats | None:
        """(n, m) of all rows of all parts; None where some row is another.

        >>> parts = [Packed([{"price": 3.0, "age": 1.0}, {"price": 5.0, "age": 2.0}]), Packed([{"price": 7.0, "age": 4.0}])]
        >>> Layout(("price", "age")).numbers(parts).tolist()
        [[3.0, 1.0], [5.0, 2.0], [7.0, 4.0]]
        >>> Layout(("price", "age")).numbers([*parts, Packed([{"price": 7.0, "age": "old"}])])
        """
        packed, width = b"".join([part.body for part in parts]), len(self._doubles) + len(self._others)
        if len(packed) % width:
            return None
        rows = np.frombuffer(packed, np.uint8).reshape(-1, width)
        if not (rows.take(self._others, axis=1) == self._expected).all():
            return None
        found: Floats = rows.take(self._doubles, axis=1).view(">f8").astype(np.float64)
        return found
