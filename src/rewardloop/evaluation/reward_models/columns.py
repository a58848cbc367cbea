"""Feature dictionaries as a matrix of bounded width, for the reward model. No rewards and no weights live here."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rewardloop.interactions import Floats, Ints

_LIMIT = 5.0
"""z-scores are clipped here: one wild value may not own the fit."""
_SHARED = 8
"""Columns that the rare names share, by hash and sign, once a column each no longer fits."""
_BLOCK = 1024
"""Rows translated at once: bounds the memory that wide rows take on the way."""

_Row = Mapping[str, float | str]
_Key = str | tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Names:
    """Which feature stands in which column."""

    index: Mapping[_Key, int]
    """A column of its own for each; the shared ones, if any, follow."""
    width: int

    @classmethod
    def of(cls, rows: Sequence[_Row], width: int) -> _Names:
        counts = Counter((name, value) if type(value) is str else name for row in rows for name, value in row.items())
        if len(counts) <= width:
            return cls({key: column for column, key in enumerate(counts)}, max(1, len(counts)))
        return cls({key: column for column, (key, _) in enumerate(counts.most_common(width - _SHARED))}, width)

    def matrix(self, rows: Sequence[_Row]) -> Floats:
        """(len(rows), width), unscaled."""
        blocks = [self._block(rows[start : start + _BLOCK]) for start in range(0, len(rows), _BLOCK)]
        return np.concatenate(blocks) if blocks else np.zeros((0, self.width))

    def _block(self, rows: Sequence[_Row]) -> Floats:
        cells: list[int] = []
        values: list[float] = []
        index, width = self.index, self.width
        for start, row in zip(range(0, len(rows) * width, width), rows, strict=True):
            for name, value in row.items():
                key, number = ((name, value), 1.0) if type(value) is str else (name, value)
                column = index.get(key)
                if column is None:
                    column, number = self._share(key, number)  # type: ignore[arg-type]
                cells.append(start + column)
                values.append(number)  # type: ignore[arg-type]
        matrix = np.bincount(np.array(cells, dtype=np.int64), np.array(values, dtype=np.float64), len(rows) * width)
        return np.asarray(matrix, dtype=np.float64).reshape(len(rows), width)

    def _share(self, key: _Key, number: float) -> tuple[int, float]:
        """A shared column and a signed value; while no columns are shared, a name that only other rows have counts as absent."""
        own = len(self.index)
        if own in (0, self.width):
            return 0, 0.0
        digest = zlib.crc32(repr(key).encode())
        return own + (digest >> 1) % (self.width - own), number if digest & 1 else -number


@dataclass(frozen=True, slots=True)
class Columns:
    """Names and scales, learned from some rows, fixed afterwards.

    A number has a column under its name, a word one under its name and value (0 or 1). The most frequent get a column of their
    own; the others share a few. Numbers are z-scored and clipped at ±5; columns that hold only 0 and 1 are left alone.

    >>> columns, matrix = Columns.fit_transform([{"age": 20.0, "os": "ios"}, {"age": 40.0, "os": "android"}], width=16)
    >>> matrix
    array([[-1.,  1.,  0.],
           [ 1.,  0.,  1.]])
    >>> columns.transform([{"age": 30.0, "os": "unseen"}])
    array([[0., 0., 0.]])
    """

    names: _Names
    mean: Floats
    scale: Floats

    @classmethod
    def fit_transform(cls, rows: Sequence[_Row], width: int) -> tuple[Columns, Floats]:
        """At most `width` columns (more than 8), for these rows and for any other; and these rows in them."""
        names = _Names.of(rows, width)
        matrix = names.matrix(rows)
        columns = cls(names, *_mean_and_scale(matrix))
        return columns, columns._scaled(matrix)

    def transform(self, rows: Sequence[_Row]) -> Floats:
        """(len(rows), width)"""
        return self._scaled(self.names.matrix(rows))

    @property
    def width(self) -> int:
        return self.names.width

    @property
    def empty(self) -> bool:
        """The rows had no feature at all, and the only column holds nothing."""
        return not self.names.index

    def _scaled(self, matrix: Floats) -> Floats:
        return np.clip((matrix - self.mean) * self.scale, -_LIMIT, _LIMIT)


def _mean_and_scale(matrix: Floats) -> tuple[Floats, Floats]:
    """Mean and 1/sd a column; 0 and 1 for columns of zeros and ones, and a scale of 0 for constant ones."""
    binary = np.all((matrix == 0) | (matrix == 1), axis=0)
    mean, sd = matrix.mean(axis=0), matrix.std(axis=0)
    varies = sd > 1e-12 * np.abs(matrix).max(axis=0)
    scale = np.divide(1.0, sd, out=np.zeros_like(sd), where=varies)
    return np.where(binary, 0.0, mean), np.where(binary, 1.0, scale)


def sketch(matrix: Floats, width: int) -> Floats:
    """At most `width` columns that stand for all: the columns themselves where they are few, signed sums of them otherwise."""
    n_columns = matrix.shape[1]
    if n_columns <= width:
        return matrix
    digests = np.array([zlib.crc32(b"%d" % column) for column in range(n_columns)], dtype=np.int64)
    return matrix @ _buckets((digests >> 1) % width, np.where(digests & 1, 1.0, -1.0), width)


def _buckets(bucket: Ints, sign: Floats, width: int) -> Floats:
    projection = np.zeros((len(bucket), width))
    projection[np.arange(len(bucket)), bucket] = sign
    return projection


def pairwise(matrix: Floats) -> Floats:
    """The columns and the products of any two of them, squares included: (n, d) to (n, d + d(d + 1)/2).

    >>> pairwise(np.array([[2.0, 3.0]]))
    array([[2., 3., 4., 6., 9.]])
    """
    rows, columns = np.triu_indices(matrix.shape[1])
    return np.hstack([matrix, matrix[:, rows] * matrix[:, columns]])
