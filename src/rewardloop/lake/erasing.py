"""Forgetting events: their rows lose their content, their labels go. Decisions keep their numbers, and the ledger its balance.

Parts that hold such rows are written anew; the caller commits the manifest that names them and removes the files it does not.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from rewardloop.erasure import ERASED, Erasure, has
from rewardloop.features import parse_contexts
from rewardloop.ids import event_key, part_of, slot_event_id
from rewardloop.interactions import Ints
from rewardloop.lake.columns import activation_columns, decision_columns, key_array, reward_columns
from rewardloop.lake.fingerprint import Words, hash_keys
from rewardloop.lake.keys import write_index
from rewardloop.lake.manifest import INDEXED, Kind, Manifest, Part
from rewardloop.lake.merging import tables
from rewardloop.lake.opening import wholes
from rewardloop.lake.parts import SCHEMAS, key_words, read_part, write_part
from rewardloop.lake.spreading import whole_columns

Mask = npt.NDArray[np.bool_]
NEVER = np.iinfo(np.int64).max
OF_CLOSED: tuple[Kind, ...] = ("labels", "metrics")
_AT: dict[Kind, str] = {"decisions": "decided_at", "rewards": "rewarded_at", "activations": "activated_at"}


class Found(NamedTuple):
    """What a lake holds of the events to forget."""

    n_decisions: int
    """Each slot is one."""
    n_rewards: int
    n_closed: int
    """Rows that models may have learned from."""
    first_closed_at: int
    """Microseconds UTC; `NEVER` where none is closed."""


def matching(directory: Path, manifest: Manifest, wanted: Mapping[str, str]) -> Iterator[str]:
    """Ids of the events whose context has features of these values; a scan of every context."""
    for part in manifest.of("decisions"):
        for table in tables(directory, [part]):
            contexts = parse_contexts([text.encode() for text in table["context"].to_pylist()])
            for event_id, context in zip(table["event_id"].to_pylist(), contexts, strict=True):
                if has(context, wanted):
                    yield part_of(event_id).event_id


def look(directory: Path, manifest: Manifest, erasure: Erasure) -> Found:
    """Counts; changes nothing."""
    search = _Search(directory, manifest, erasure)
    decisions = search.numbers()
    n_rewards = sum(int(search.mask(part).sum()) for part in manifest.of("rewards"))
    first, n_closed = NEVER, 0
    for part in manifest.of("labels"):
        table = read_part(directory, part, ["seq", "closed_at"])
        at = table["closed_at"].to_numpy()[np.isin(table["seq"].to_numpy(), decisions)]
        n_closed += len(at)
        first = min(first, int(at.min())) if len(at) else first
    return Found(len(decisions), n_rewards, n_closed, first)


def erase(directory: Path, manifest: Manifest, erasure: Erasure) -> Manifest:
    """The manifest without the content of these events, the files of its new parts written."""
    search = _Search(directory, manifest, erasure)
    numbers, parts, serial = search.numbers(), list[Part](), manifest.serial
    for part in manifest.parts:
        mask = search.of_numbers(part, numbers) if part.kind in OF_CLOSED else search.mask(part)
        if not mask.any():
            parts.append(part)
        elif part.kind not in OF_CLOSED or not mask.all():
            written = write_part(directory, part.kind, serial, search.rewritten(part, mask), first_seq=part.first_seq)
            if part.kind in INDEXED:
                write_index(directory, written)
            parts.append(written)
            serial += 1
    return msgspec.structs.replace(manifest, parts=tuple(parts), serial=serial)


class _Search:
    """Which rows of a part are meant, and what is put in their place."""

    def __init__(self, directory: Path, manifest: Manifest, erasure: Erasure) -> None:
        self._directory = directory
        self._manifest = manifest
        self._erasure = erasure
        self._hashes = _hashes(directory, manifest, erasure)

    def numbers(self) -> Ints:
        """Those of the decisions."""
        found = [part.first_seq + np.flatnonzero(self.mask(part)) for part in self._manifest.of("decisions")]
        return np.concatenate([np.zeros(0, np.int64), *found])

    def mask(self, part: Part) -> Mask:
        """(rows,) of a part of records; what was erased before is not meant again."""
        at = _AT.get(part.kind, "effective_at")
        named = "event_id" in SCHEMAS[part.kind].names
        table = read_part(self._directory, part, ["event_key", at, *(["event_id"] if named else [])])
        meant = table[at].to_numpy() <= self._erasure.until
        if len(self._hashes):
            meant |= np.isin(hash_keys(*key_words(table["event_key"])), self._hashes)
        if named:
            meant &= ~pc.starts_with(table["event_id"], ERASED).to_numpy()
        return np.asarray(meant)

    @cached_property
    def _ids(self) -> dict[uuid.UUID, str]:
        """By key, the ids of the events over several slots: a reward told to each slot must be known for one."""
        ids = set(self._erasure.event_ids)
        for part in self._manifest.of("wholes"):
            ids |= set(read_part(self._directory, part, ["event_id"])["event_id"].filter(pa.array(self.mask(part))).to_pylist())
        return {event_key(event_id): event_id for event_id in ids}

    def of_numbers(self, part: Part, numbers: Ints) -> Mask:
        """(rows,) of a part whose rows say the number of their decision."""
        return np.asarray(np.isin(read_part(self._directory, part, ["seq"])["seq"].to_numpy(), numbers))

    def rewritten(self, part: Part, mask: Mask) -> Iterator[pa.Table]:
        """The rows of a part, in their order."""
        start = 0
        for table in tables(self._directory, [part]):
            here = mask[start : start + table.num_rows]
            start += table.num_rows
            if part.kind in OF_CLOSED:
                yield table.filter(pa.array(~here))
            elif here.any():
                yield _replaced(table, here, self._empty(part.kind, table.filter(pa.array(here))))
            else:
                yield table

    def _empty(self, kind: Kind, rows: pa.Table) -> pa.Table:
        """As many rows without content, which keep their number and the instant that the join goes by."""
        if kind == "unmatched":
            ids = [self._ids.get(key, f"key {key}") for key in rows["event_key"].to_pylist()]
            return rows.set_column(0, "event_key", key_array(map(self._erasure.new_id, ids)))
        ids, stamps = rows["event_id"].to_pylist(), rows[_AT.get(kind, "effective_at")].to_pylist()
        if kind in INDEXED:
            said = rows.column_names
            models = rows["model_id"].to_pylist() if "model_id" in said else [""] * len(ids)
            variants = rows["variant"].to_pylist() if "variant" in said else [""] * len(ids)
            decisions = [self._erasure.decision(*row) for row in zip(ids, models, stamps, variants, strict=True)]
            empty = decision_columns(decisions, -1) if kind == "decisions" else whole_columns(decisions, -1)
        elif kind == "rewards":
            empty = reward_columns([self._erasure.reward(*row) for row in zip(ids, stamps, strict=True)], -1)
        else:
            empty = activation_columns([self._erasure.activation(*row) for row in zip(ids, stamps, strict=True)], -1)
        for name in ("seq", "effective_at"):
            if name in empty.column_names:
                empty = empty.set_column(empty.column_names.index(name), name, rows[name])
        return empty


def _replaced(table: pa.Table, mask: Mask, rows: pa.Table) -> pa.Table:
    """`rows` in the places of a mask."""
    order = np.empty(len(mask), np.int64)
    order[~mask] = np.arange((~mask).sum())
    order[mask] = (~mask).sum() + np.arange(mask.sum())
    return pa.concat_tables([table.filter(pa.array(~mask)), rows.cast(table.schema)]).take(order)


def _hashes(directory: Path, manifest: Manifest, erasure: Erasure) -> Words:
    """Of the keys of these events and of their slots."""
    slots = wholes(directory, manifest, sorted(erasure.event_ids)) if erasure.event_ids else {}
    of_slots = [slot_event_id(event_id, choice.slot) for event_id, whole in slots.items() for choice in whole.slots]
    return np.sort(hash_keys(*key_words(key_array([*erasure.event_ids, *of_slots]))))
