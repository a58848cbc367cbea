"""Keeping the number of files bounded: sixteen neighbours of a size become one of the next size, until a part is full.

So a row is rewritten about once per factor of sixteen, and a lake of n rows has at most about 128 small parts a kind, and
one full part a million rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa

from rewardloop.lake.keys import write_index
from rewardloop.lake.manifest import INDEXED, Kind, Part
from rewardloop.lake.parts import complete, open_part, write_part

FAN_IN = 16
TIERS = 6
MAX_RUN = 128
"""Merged whatever their sizes: sizes that alternate would otherwise never make sixteen of one."""
FULL_ROWS = 1_000_000
FULL_BYTES = 128 << 20


def due(parts: Sequence[Part]) -> Sequence[Part]:
    """Neighbours (of one kind, in order) to merge into one part now; empty when there are few enough."""
    for tier in range(TIERS):
        run = _tail(parts, tier)
        if sum(_tier(part) == tier for part in run) >= FAN_IN or len(run) > MAX_RUN:
            return _that_fit(run)
    return ()


def merge(directory: Path, kind: Kind, parts: Sequence[Part], serial: int) -> Part:
    """Writes the rows of several parts, in their order, as one. Memory: a few row groups. Raises `Corrupt`."""
    merged = write_part(directory, kind, serial, tables(directory, parts), first_seq=parts[0].first_seq)
    if kind in INDEXED:
        write_index(directory, merged)
    return merged


def _tail(parts: Sequence[Part], tier: int) -> Sequence[Part]:
    """The newest neighbours that are of this tier or a lower one."""
    start = len(parts)
    while start and _tier(parts[start - 1]) <= tier:
        start -= 1
    return parts[start:]


def _that_fit(run: Sequence[Part]) -> Sequence[Part]:
    """The oldest of a run that make at most two full parts together."""
    rows = size = n = 0
    for part in run:
        rows, size = rows + part.rows, size + part.size
        if rows > 2 * FULL_ROWS or size > 2 * FULL_BYTES:
            break
        n += 1
    return run[:n]


def _tier(part: Part) -> int:
    """How often 16 goes into its rows; `TIERS` where it is full."""
    if part.rows >= FULL_ROWS or part.size >= FULL_BYTES:
        return TIERS
    return min((part.rows.bit_length() - 1) // 4, TIERS - 1)


def tables(directory: Path, parts: Sequence[Part]) -> Iterator[pa.Table]:
    """Their rows, with all columns of their kind, a row group at a time. Raises `Corrupt`."""
    for part in parts:
        with open_part(directory, part, dictionaries=False) as file:
            for number in range(file.num_row_groups):
                yield complete(file.read_row_group(number, use_threads=False), part.kind)
