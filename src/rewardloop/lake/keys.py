"""The key index: beside each part of decisions, its event keys in order of their hash, so that one event is found without a scan.

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

from rewardloop.errors import Corrupt, StorageUnavailable
from rewardloop.interactions import Ints
from rewardloop.lake.fingerprint import Words, hash_keys
from rewardloop.lake.manifest import Part
from rewardloop.lake.parts import key_words, read_part

_WORDS = 4
"""A decision has four words, each in a column of its own: the hash, the lower half of the key (with the hash that is the
whole key, as the hash is a bijection of the upper half), `effective_at`, and its position times two plus `deferred`."""


class Found(NamedTuple):
    """Decisions found: `query[i]` of the keys asked for is number `seq[i]`, decided at `effective_at[i]`."""

    query: Ints
    seq: Ints
    effective_at: Ints
    deferred: npt.NDArray[np.bool_]


def index_name(part: Part) -> str:
    return part.name.removesuffix(".parquet") + ".keys"


def write_index(directory: Path, part: Part) -> None:
    """Writes the index of a part of decisions, durable when it returns. Raises `StorageUnavailable`."""
    table = read_part(directory, part, ["event_key", "effective_at", "deferred"])
    hi, lo = key_words(table["event_key"])
    hashes = hash_keys(hi, lo)
    order = np.argsort(hashes, kind="stable")
    last = (2 * order + table["deferred"].to_numpy()[order]).astype(np.uint64)
    try:
        with (directory / index_name(part)).open("wb") as file:
            for column in (hashes[order], lo[order], table["effective_at"].to_numpy()[order], last):
                file.write(column.tobytes())
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise StorageUnavailable(f"The lake cannot be written: {error.strerror}", at=str(directory)) from error


def find(directory: Path, parts: Sequence[Part], hi: Words, lo: Words) -> Found:
    """Every decision in `parts` whose event key is among the (n,) keys asked for, in order of part. Raises `Corrupt`."""
    hashes = hash_keys(hi, lo)
    order = np.argsort(hashes)
    asked = _Asked(hi[order], lo[order], hashes[order], order)
    found = [_find_in(directory, part, asked) for part in parts]
    return Found(
        np.concatenate([_NOTHING.query, *(hits.query for hits in found)]),
        np.concatenate([_NOTHING.seq, *(hits.seq for hits in found)]),
        np.concatenate([_NOTHING.effective_at, *(hits.effective_at for hits in found)]),
        np.concatenate([_NOTHING.deferred, *(hits.deferred for hits in found)]),
    )


class _Asked(NamedTuple):
    """The keys asked for in order of their hash, and where they stood."""

    hi: Words
    lo: Words
    hashes: Words
    order: npt.NDArray[np.intp]


_NOTHING = Found(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.bool_))


def _find_in(directory: Path, part: Part, asked: _Asked) -> Found:
    near = np.flatnonzero((asked.hi >= np.uint64(part.min_key)) & (asked.hi <= np.uint64(part.max_key)))
    if not len(near):
        return _NOTHING
    hashes, lo, effective_at, last = _columns(directory / index_name(part), part.rows)
    which, at = _matches(hashes, asked.hashes[near])
    same = lo[at] == asked.lo[near[which]]
    which, at = which[same], at[same]
    return Found(
        asked.order[near[which]],
        part.first_seq + (last[at] >> np.uint64(1)).astype(np.int64),
        effective_at[at].view(np.int64),
        (last[at] & np.uint64(1)).astype(np.bool_),
    )


def _columns(path: Path, rows: int) -> Words:
    """(4, rows) mapped, not read."""
    try:
        return np.memmap(path, np.uint64, "r", shape=(_WORDS, rows))
    except (OSError, ValueError) as error:
        raise Corrupt(f"Expected the index of {rows} event keys: {error}", at=str(path)) from None


def _matches(table: Words, hashes: Words) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Pairs (i, j) with hashes[i] == table[j]; both are sorted."""
    start = np.searchsorted(table, hashes, "left")
    count = np.searchsorted(table, hashes, "right") - start
    which = np.repeat(np.arange(len(hashes)), count)
    first = np.repeat(np.cumsum(count) - count, count)
    return which, start[which] + np.arange(len(which)) - first
