"""The key index: beside each part of decisions, its event keys' hashes in order, so that one event is found without a scan.

It answers three questions: was this event decided before (a client repeated itself), is this reward late or for nobody, and
where is the decision of this event.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from rewardloop.errors import StorageUnavailable
from rewardloop.interactions import Ints
from rewardloop.lake.fingerprint import Words, hash_keys
from rewardloop.lake.manifest import Part
from rewardloop.lake.parts import key_words, read_part


class Found(NamedTuple):
    """Decisions found: `query[i]` of the keys asked for is at row `seq[i]`, decided at `effective_at[i]`."""

    query: Ints
    seq: Ints
    effective_at: Ints
    deferred: npt.NDArray[np.bool_]


class _Asked(NamedTuple):
    """The keys asked for, and their positions and hashes in order of hash."""

    hi: Words
    lo: Words
    order: npt.NDArray[np.intp]
    hashes: Words


def index_name(part: Part) -> str:
    return part.name.removesuffix(".parquet") + ".keys"


def write_index(directory: Path, part: Part) -> None:
    """Writes the index of a part of decisions, durable when it returns. Raises `StorageUnavailable`."""
    hashes = hash_keys(*key_words(read_part(directory, part, ["event_key"])["event_key"]))
    order = np.argsort(hashes, kind="stable")
    try:
        with (directory / index_name(part)).open("wb") as file:
            file.write(hashes[order].tobytes())
            file.write(order.astype(np.uint32).tobytes())
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise StorageUnavailable(f"The lake cannot be written: {error.strerror}", at=str(directory)) from error


def find(directory: Path, parts: Sequence[Part], hi: Words, lo: Words) -> Found:
    """Every decision in `parts` whose event key is among the (n,) keys asked for, in order of seq."""
    hashes = hash_keys(hi, lo)
    order = np.argsort(hashes)
    asked = _Asked(hi, lo, order, hashes[order])
    found = [_find_in(directory, part, asked) for part in parts]
    return Found(*(np.concatenate([_NOTHING[i], *(hits[i] for hits in found)]) for i in range(4)))


_NOTHING = Found(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.bool_))


def _find_in(directory: Path, part: Part, asked: _Asked) -> Found:
    hi = asked.hi[asked.order]
    near = (hi >= np.uint64(part.min_key)) & (hi <= np.uint64(part.max_key))
    if not near.any():
        return _NOTHING
    query, position = _probe(directory / index_name(part), part.rows, asked.hashes[near], asked.order[near])
    return _checked(directory, part, asked, query, position) if len(query) else _NOTHING


def _probe(path: Path, rows: int, hashes: Words, order: npt.NDArray[np.intp]) -> tuple[Ints, Ints]:
    """Pairs (index of the key asked for, position in the part) with equal hashes."""
    table = np.memmap(path, np.uint64, "r", shape=(rows,))
    start = np.searchsorted(table, hashes, "left")
    count = np.searchsorted(table, hashes, "right") - start
    hit = np.flatnonzero(count)
    if not len(hit):
        return _NOTHING.query, _NOTHING.seq
    at = np.concatenate([np.arange(start[i], start[i] + count[i]) for i in hit])
    positions = np.memmap(path, np.uint32, "r", offset=8 * rows, shape=(rows,))
    return np.repeat(order[hit], count[hit]), positions[at].astype(np.int64)


def _checked(directory: Path, part: Part, asked: _Asked, query: Ints, position: Ints) -> Found:
    """Without those whose hash is equal and whose key is not, in order of seq."""
    rows = read_part(directory, part, ["event_key", "effective_at", "deferred"]).take(position)
    hi, lo = key_words(rows["event_key"])
    same = np.flatnonzero((hi == asked.hi[query]) & (lo == asked.lo[query]))
    same = same[np.argsort(position[same], kind="stable")]
    deferred = rows["deferred"].to_numpy()
    return Found(query[same], part.first_seq + position[same], rows["effective_at"].to_numpy()[same], deferred[same])
