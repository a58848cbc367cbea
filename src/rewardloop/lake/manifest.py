"""The manifest: the one file that says what is in the lake. A part file that it does not name does not exist.

Every change writes new part files first and then replaces the manifest in one rename, so after a crash at any instant a
change is wholly there or not at all. Nothing here knows what the parts mean.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from rewardloop.durable import replace_file, storage
from rewardloop.errors import Corrupt
from rewardloop.lake.ledger import Ledger
from rewardloop.settings.schema import Aggregation, RewardSettings

Kind = Literal["decisions", "rewards", "activations", "unmatched", "labels", "metrics", "wholes"]
INDEXED: tuple[Kind, ...] = ("decisions", "wholes")
"""Kinds whose parts have a key index."""

FILE = "manifest.json"
VERSION = 1
KEPT_COMMITS = 256


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One immutable Parquet file. `min_at` and `max_at` bound its `effective_at` (of labels: `closed_at`), inclusive."""

    kind: Kind
    name: str
    rows: int
    size: int
    """Bytes on disk."""
    min_at: int
    max_at: int
    first_seq: int = 0
    """decisions, wholes: rows are numbered `first_seq`, `first_seq + 1`, …"""
    min_key: int = 0
    max_key: int = 0
    """decisions, wholes: bounds of the upper 64 bits of the event keys, unsigned."""
    sums: tuple[int, int] = (0, 0)
    """labels: fingerprint of the rows."""


class Labelling(msgspec.Struct, frozen=True):
    """The settings that the labels were joined under. Others mean other labels."""

    window: int
    default: float
    aggregation: Aggregation
    waits: bool = False
    """Every event closes at the end of its window, and not with the reward that decides it."""

    @classmethod
    def of(cls, reward: RewardSettings) -> Labelling:
        return cls(int(reward.window), reward.default, reward.aggregation, reward.closes == "window")


class Retired(msgspec.Struct, frozen=True):
    """A file no longer named, kept for `KEPT_COMMITS` more commits because somebody may still be reading it."""

    name: str
    commit: int


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    version: int = VERSION
    cursor: bytes = b""
    """Where the log was read up to: opaque here, committed together with the records it stands for."""
    commits: int = 0
    serial: int = 0
    """Number of the next file."""
    next_seq: int = 0
    """Number of the next decision."""
    joined: int = -1
    """The watermark of the newest data set: every event that closed at or before it has its label."""
    labelling: Labelling | None = None
    parts: tuple[Part, ...] = ()
    superseded: tuple[int, ...] = ()
    """Decisions (by seq) that turned out to repeat an event decided earlier."""
    retired: tuple[Retired, ...] = ()
    pruned: tuple[int, int] = (0, 0)
    """Fingerprint of the labels that were pruned."""
    ledger: Ledger = Ledger()

    def of(self, kind: Kind) -> tuple[Part, ...]:
        return tuple(part for part in self.parts if part.kind == kind)

    def between(self, kind: Kind, after: int, until: int) -> tuple[Part, ...]:
        """Parts that may hold rows with after < at ≤ until."""
        return tuple(part for part in self.of(kind) if part.max_at > after and part.min_at <= until)


_decoder = msgspec.json.Decoder(Manifest)


def read_manifest(directory: Path) -> Manifest:
    """The manifest of a lake, or an empty one for a new directory. Raises `Corrupt`."""
    try:
        manifest = _decoder.decode((directory / FILE).read_bytes())
    except FileNotFoundError:
        return Manifest()
    except msgspec.DecodeError as error:
        raise Corrupt(f"Expected the manifest of a lake, got something else: {error}", at=str(directory / FILE)) from None
    if manifest.version != VERSION:
        raise Corrupt(f"Expected version {VERSION}, got {manifest.version}", at=str(directory / FILE))
    return manifest


def write_manifest(directory: Path, manifest: Manifest) -> None:
    """Replaces the manifest: durable when it returns. Raises `StorageUnavailable`, and then the old one stands."""
    with storage(directory):
        replace_file(directory / FILE, msgspec.json.encode(manifest))
