"""From columns back to records: those of one event, and those of the events still open."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from msgspec.structs import replace

from rewardloop.events import Activation, Decision, Record, Reward
from rewardloop.ids import slot_event_id
from rewardloop.interactions import Ints
from rewardloop.lake import keys
from rewardloop.lake.columns import key_array
from rewardloop.lake.fingerprint import Words, hash_keys
from rewardloop.lake.manifest import Kind, Manifest
from rewardloop.lake.metrics import read_metrics
from rewardloop.lake.parts import SCHEMAS, complete, key_words, read_part
from rewardloop.lake.rows import DecisionRows
from rewardloop.slots import of_slot

BATCH = 10_000

_decode = msgspec.msgpack.Decoder(Decision).decode


def event_records(directory: Path, manifest: Manifest, event_id: str) -> list[Record]:
    """The decision, the rewards and the activations of one event, in this order; of several decisions, the one that counts."""
    hi, lo = key_words(key_array([event_id]))
    whole = _whole(directory, manifest, event_id)
    if whole is not None:
        return [whole, *_followers_of_slots(directory, manifest, whole)]
    found = keys.find(directory, manifest.of("decisions"), hi, lo)
    seq = found.seq[~np.isin(found.seq, manifest.superseded)]
    hashes = hash_keys(hi, lo)
    return [*_decisions(directory, manifest, seq), *_followers(directory, manifest, hashes, after=-1)]


def told(directory: Path, manifest: Manifest, kind: Kind, event_ids: Sequence[str], after: int) -> Iterator[pa.Table]:
    """Rewards or activations of some events, part by part, without their keys; parts up to `after` are left out."""
    hashes = np.sort(hash_keys(*key_words(key_array(event_ids))))
    return _told(directory, manifest, kind, hashes, after)


def wholes(directory: Path, manifest: Manifest, event_ids: Sequence[str]) -> dict[str, Decision]:
    """Those of the events that are decisions over several slots, as they were logged; of several with one id the earliest."""
    seq = np.unique(keys.find(directory, manifest.of("wholes"), *key_words(key_array(event_ids))).seq)
    if not len(seq):
        return {}
    with DecisionRows(directory, manifest.of("wholes"), ("effective_at", "record")) as rows:
        found = sorted(rows.take(seq).to_pylist(), key=lambda row: int(row["effective_at"]), reverse=True)
    return {decision.event_id: decision for decision in (_decode(row["record"]) for row in found)}


def _whole(directory: Path, manifest: Manifest, event_id: str) -> Decision | None:
    return wholes(directory, manifest, [event_id]).get(event_id)


def _followers_of_slots(directory: Path, manifest: Manifest, whole: Decision) -> Iterator[Reward | Activation]:
    """What was told of the event, once, and of its slots; not the copies that each slot was given."""
    hashes = hash_keys(*key_words(key_array([whole.event_id])))
    of_event = list(_followers(directory, manifest, hashes, after=-1))
    yield from of_event
    for choice in whole.slots:
        copies = Counter(of_slot(record, choice.slot) for record in of_event)
        own = hash_keys(*key_words(key_array([slot_event_id(whole.event_id, choice.slot)])))
        for record in _followers(directory, manifest, own, after=-1):
            if copies[record]:
                copies[record] -= 1
            elif isinstance(record, Reward):
                yield replace(record, event_id=whole.event_id, slot=choice.slot)


def open_records(directory: Path, manifest: Manifest) -> Iterator[Record]:
    """Decisions not closed at the newest watermark, then what was told of them, in order of time."""
    window = manifest.labelling.window if manifest.labelling else 0
    seq, hashes = _open(directory, manifest, manifest.joined - window)
    for start in range(0, len(seq), BATCH):
        yield from _decisions(directory, manifest, seq[start : start + BATCH])
    yield from sorted(_followers(directory, manifest, np.sort(hashes), after=manifest.joined - 2 * window), key=_told_at)


def _open(directory: Path, manifest: Manifest, after: int) -> tuple[Ints, Words]:
    """Numbers and key hashes of the decisions later than `after` that have no label."""
    closed = [read_part(directory, part, ["seq"])["seq"].to_numpy() for part in manifest.of("labels") if part.max_at > after]
    settled = np.concatenate([np.array(manifest.superseded, np.int64), *closed])
    seq, hashes = [np.zeros(0, np.int64)], [np.zeros(0, np.uint64)]
    for part in manifest.of("decisions"):
        if part.max_at > after:
            table = read_part(directory, part, ["event_key", "effective_at", "seq"])
            mine = table["seq"].to_numpy()
            undecided = (table["effective_at"].to_numpy() > after) & ~np.isin(mine, settled)
            seq.append(mine[undecided])
            hashes.append(hash_keys(*key_words(table["event_key"]))[undecided])
    return np.concatenate(seq), np.concatenate(hashes)


def _decisions(directory: Path, manifest: Manifest, seq: Ints) -> list[Decision]:
    if not len(seq):
        return []
    with DecisionRows(directory, manifest.of("decisions"), SCHEMAS["decisions"].names) as rows:
        columns = rows.take(seq).to_pylist()
    return [_decision(row, directory.parent.name) for row in columns]


def _decision(row: dict[str, object], experiment: str) -> Decision:
    pmf, excluded, values = row["pmf"], row["excluded"], row["values"]
    assert isinstance(pmf, list)
    assert isinstance(excluded, list)
    assert isinstance(values, list)
    return Decision(
        str(row["event_id"]),
        experiment,
        str(row["model_id"]),
        int(str(row["decided_at"])),
        str(row["context"]).encode(),
        str(row["actions"]).encode(),
        tuple(pmf),
        int(str(row["action"])),
        float(str(row["probability"])),
        int(str(row["seed"])),
        float(str(row["sample_prob"])),
        tuple(excluded),
        bool(row["explore"]),
        bool(row["deferred"]),
        str(row["variant"]),
        sticky=str(row["sticky"]),
        values=tuple(values),
        density=float(str(row["density"])),
    )


def _followers(directory: Path, manifest: Manifest, hashes: Words, after: int) -> Iterator[Reward | Activation]:
    """Rewards and activations of the events whose key hashes are given (sorted)."""
    experiment = directory.parent.name
    for table in _told(directory, manifest, "rewards", hashes, after):
        for row in table.to_pylist():
            told = (row["reward"], row["rewarded_at"], row["reward_id"], row["final"])
            yield Reward(row["event_id"], experiment, *told, metrics=read_metrics(row["metrics"]))
    for table in _told(directory, manifest, "activations", hashes, after):
        for row in table.to_pylist():
            yield Activation(row["event_id"], experiment, row["activated_at"])


def _told(directory: Path, manifest: Manifest, kind: Kind, hashes: Words, after: int) -> Iterator[pa.Table]:
    for part in manifest.of(kind):
        if part.max_at > after and len(hashes):
            mine = hash_keys(*key_words(read_part(directory, part, ["event_key"])["event_key"]))
            hits = np.flatnonzero(_among(mine, hashes))
            if len(hits):
                rows = complete(read_part(directory, part, SCHEMAS[kind].names), kind)
                yield rows.drop_columns(["event_key"]).take(hits)


def _among(mine: Words, hashes: Words) -> npt.NDArray[np.bool_]:
    position = np.minimum(np.searchsorted(hashes, mine), len(hashes) - 1)
    return np.asarray(hashes[position] == mine)


def _told_at(record: Reward | Activation) -> int:
    return record.rewarded_at if isinstance(record, Reward) else record.activated_at
