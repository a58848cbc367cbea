"""From columns back to records: those of one event, and those of the events still open."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from rewardloop.events import Activation, Decision, Record, Reward
from rewardloop.interactions import Ints
from rewardloop.lake import keys
from rewardloop.lake.columns import key_array
from rewardloop.lake.fingerprint import Words, hash_keys
from rewardloop.lake.manifest import Kind, Manifest
from rewardloop.lake.parts import SCHEMAS, key_words, read_part
from rewardloop.lake.rows import DecisionRows

BATCH = 10_000


def event_records(directory: Path, manifest: Manifest, event_id: str) -> list[Record]:
    """The decision, the rewards and the activations of one event, in this order; of several decisions, the one that counts."""
    hi, lo = key_words(key_array([event_id]))
    found = keys.find(directory, manifest.of("decisions"), hi, lo)
    seq = found.seq[~np.isin(found.seq, manifest.superseded)]
    hashes = hash_keys(hi, lo)
    return [*_decisions(directory, manifest, seq), *_followers(directory, manifest, hashes, after=-1)]


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
    pmf, excluded = row["pmf"], row["excluded"]
    assert isinstance(pmf, list)
    assert isinstance(excluded, list)
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
    )


def _followers(directory: Path, manifest: Manifest, hashes: Words, after: int) -> Iterator[Reward | Activation]:
    """Rewards and activations of the events whose key hashes are given (sorted)."""
    experiment = directory.parent.name
    for table in _told(directory, manifest, "rewards", hashes, after):
        for row in table.to_pylist():
            yield Reward(row["event_id"], experiment, row["reward"], row["rewarded_at"], row["reward_id"], row["final"])
    for table in _told(directory, manifest, "activations", hashes, after):
        for row in table.to_pylist():
            yield Activation(row["event_id"], experiment, row["activated_at"])


def _told(directory: Path, manifest: Manifest, kind: Kind, hashes: Words, after: int) -> Iterator[pa.Table]:
    for part in manifest.of(kind):
        if part.max_at > after and len(hashes):
            mine = hash_keys(*key_words(read_part(directory, part, ["event_key"])["event_key"]))
            hits = np.flatnonzero(_among(mine, hashes))
            if len(hits):
                yield read_part(directory, part, SCHEMAS[kind].names).drop_columns(["event_key"]).take(hits)


def _among(mine: Words, hashes: Words) -> npt.NDArray[np.bool_]:
    position = np.minimum(np.searchsorted(hashes, mine), len(hashes) - 1)
    return np.asarray(hashes[position] == mine)


def _told_at(record: Reward | Activation) -> int:
    return record.rewarded_at if isinstance(record, Reward) else record.activated_at
