"""Products of matrices that cost the same however many threads BLAS may use: it wakes them for what one does sooner alone."""

from __future__ import annotations

from typing import Final

import numpy as np

from rewardloop.interactions import Floats

UNTHREADED: Final = 1 << 19
"""Multiplications that OpenBLAS does by itself. For more it wakes other threads, which then spin: on two busy cores a product of
50 µs took 1,300 of CPU."""
_ROW: Final = 1 << 18
"""Those of one row: of 256 columns and ten arms, one took 1,350 µs instead of 80."""
_FEW_ROWS: Final = 16


def product(X: Floats, M: Floats) -> Floats:
    """X M, of many rows by a matrix of moderate size in parts, so that it costs the same however many threads BLAS may use."""
    step = UNTHREADED // max(1, M.size)
    if step < _FEW_ROWS or len(X) <= step:
        whole: Floats = X @ M
        return whole
    Y = np.empty((len(X), M.shape[1]))
    for start in range(0, len(X), step):
        rows = slice(start, start + step)
        np.dot(X[rows], M, out=Y[rows])
    return Y


def row_product(x: Floats, M: Floats) -> Floats:
    """x M of one row, in parts where the matrix is large."""
    if M.size <= _ROW:
        whole: Floats = x.dot(M)
        return whole
    step = max(1, _ROW // len(x))
    return np.concatenate([x.dot(M[:, start : start + step]) for start in range(0, M.shape[1], step)])
