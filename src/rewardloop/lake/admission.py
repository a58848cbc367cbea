"""Which of the decisions that arrive are new: of several with one event id the earliest counts, whatever the order they come in."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from rewardloop.interactions import Ints
from rewardloop.lake import keys
from rewardloop.lake.fingerprint import Words, hash_keys
from rewardloop.lake.manifest import Manifest
from rewardloop.lake.parts import key_words


class Admitted(NamedTuple):
    table: pa.Table
    """The decisions to keep, numbered."""
    n_duplicates: int
    superseded: tuple[int, ...]
    """Decisions already in the lake (by seq) that one of these precedes."""


def admit(directory: Path, manifest: Manifest, table: pa.Table) -> Admitted:
    """Decisions in the schema of their kind, `seq` not yet given."""
    unique = table.take(_earliest(table))
    hi, lo = key_words(unique["event_key"])
    known = _known(directory, manifest, hi, lo)
    keep = np.ones(len(hi), np.bool_)
    superseded: tuple[int, ...] = ()
    if len(known.query):
        later = _is_later(unique, known)
        keep[known.query[later]] = False
        superseded = tuple(known.seq[~later].tolist())
        unique = unique.filter(keep)
    seq = manifest.next_seq + np.arange(unique.num_rows)
    numbered = unique.set_column(unique.schema.get_field_index("seq"), "seq", pa.array(seq, pa.int64()))
    return Admitted(numbered, table.num_rows - unique.num_rows + len(superseded), superseded)


def _known(directory: Path, manifest: Manifest, hi: Words, lo: Words) -> keys.Found:
    """The decisions in the lake that have one of these keys and still count."""
    found = keys.find(directory, manifest.of("decisions"), hi, lo)
    valid = ~np.isin(found.seq, manifest.superseded)
    return keys.Found(found.query[valid], found.seq[valid], found.effective_at[valid], found.deferred[valid])


def _is_later(table: pa.Table, known: keys.Found) -> npt.NDArray[np.bool_]:
    """Whether the arriving decision comes after the known one. At the same instant one that is not deferred comes first."""
    at = table["effective_at"].to_numpy()[known.query]
    deferred = table["deferred"].to_numpy()[known.query]
    same = at == known.effective_at
    return np.asarray((at > known.effective_at) | (same & (deferred | ~known.deferred)))


def _earliest(table: pa.Table) -> Ints:
    """Positions of the first decision of each event key, in the order given."""
    hi, lo = key_words(table["event_key"])
    hashes = np.sort(hash_keys(hi, lo))
    if not (hashes[1:] == hashes[:-1]).any():
        return np.arange(len(hi))
    at, deferred = table["effective_at"].to_numpy(), table["deferred"].to_numpy()
    order = np.lexsort((deferred, at, lo, hi))
    repeats = (hi[order][1:] == hi[order][:-1]) & (lo[order][1:] == lo[order][:-1])
    return np.sort(order[np.append(True, ~repeats)])
