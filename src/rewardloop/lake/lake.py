"""The lake of one experiment: its records as Parquet, and the data sets joined from them. The other modules serve this class."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from msgspec.structs import replace

from rewardloop.erasure import Erasure
from rewardloop.events import Decision, Record, Reward
from rewardloop.ids import part_of, unplaced
from rewardloop.lake.admission import Admitted, admit
from rewardloop.lake.columns import activation_columns, decision_columns, reward_columns
from rewardloop.lake.dataset import DataSet
from rewardloop.lake.erasing import Found, erase, look, matching
from rewardloop.lake.fingerprint import add
from rewardloop.lake.join import Engine, Joiner, Slice
from rewardloop.lake.ledger import Ledger
from rewardloop.lake.manifest import Labelling, Manifest
from rewardloop.lake.opening import event_records
from rewardloop.lake.spreading import spread, whole_columns
from rewardloop.lake.storage import Storage, retire
from rewardloop.settings import RewardSettings
from rewardloop.slots import addressed

SLICE_ROWS = 2_000_000
"""Decisions joined at once: the hash table then fits the processor's cache, and memory has a bound."""


class Lake:
    """Laws
    - `append` commits records and cursor together: after a crash both are there or neither.
    - `join(w)` says that every record stamped ≤ w has been appended. What comes later with such a stamp counts from the next
      microsecond on, so a data set never changes.
    - Reading sees whole commits and needs no lock. One process at a time may append, join, import and prune; the caller
      sees to that.
    """

    def __init__(self, directory: Path, reward: RewardSettings, engine: Engine | None = None) -> None:
        self._storage = Storage(directory)
        self._labelling = Labelling.of(reward)
        self._joiner = Joiner(directory, self._labelling, engine or Engine())

    @property
    def directory(self) -> Path:
        return self._storage.directory

    @property
    def experiment(self) -> str:
        """The name of the directory that holds the lake."""
        return self.directory.parent.name

    @property
    def cursor(self) -> bytes:
        """As last appended; empty in a new lake."""
        return self._storage.manifest.cursor

    @property
    def ledger(self) -> Ledger:
        """Where every record went, up to the newest join."""
        return self._storage.manifest.ledger

    @property
    def watermark(self) -> int:
        """Of the newest data set; −1 before the first."""
        return self._storage.manifest.joined

    def append(self, records: Sequence[Record], cursor: bytes) -> None:
        """Take in records of the log, with the position that it was read up to. Raises `StorageUnavailable`."""
        manifest = self._storage.begin()
        parts = spread(self.directory, manifest, records, self._labelling.window)
        decisions = decision_columns(parts.decisions, manifest.joined)
        rewards = reward_columns(parts.rewards, manifest.joined)
        activations = activation_columns(parts.activations, manifest.joined)
        admitted = admit(self.directory, manifest, decisions)
        grown = self._grown(manifest, admitted, [rewards, *parts.early_rewards], [activations, *parts.early_activations])
        grown = self._storage.add(grown, "wholes", [whole_columns(parts.wholes, manifest.joined)])
        stamps = (decisions["decided_at"], rewards["rewarded_at"], activations["activated_at"])
        late = sum(int((stamp.to_numpy() <= manifest.joined).sum()) for stamp in stamps)
        ledger = grown.ledger.plus(
            duplicate_decisions=admitted.n_duplicates + parts.n_duplicates,
            late_commits=late,
            rewards_received=-parts.n_copied,
            activations=-parts.n_copied_activations,
        )
        self._storage.commit(replace(grown, ledger=ledger, cursor=cursor))

    def import_events(self, decisions: Sequence[Decision], rewards: Sequence[Reward], at: int) -> set[str]:
        """Take in decisions with their final rewards (row by row), closed at `at` or at the next instant still open.

        Returns the ids of those taken in: not those that the lake had already, whose rewards are left out too. Of a decision
        over several slots each slot has a reward, which names it.
        """
        manifest = self._storage.begin()
        closed = max(at - 1, manifest.joined)
        parts = spread(self.directory, manifest, decisions, self._labelling.window)
        admitted = admit(self.directory, manifest, self._past(decision_columns(parts.decisions, closed), closed))
        kept = set(map(unplaced, admitted.table["event_id"].to_pylist()))
        told = {reward.event_id: reward for reward in map(addressed, reversed(rewards)) if reward.event_id in kept}
        columns = reward_columns([reward for reward in told.values() if isinstance(reward, Reward)], closed)
        grown = self._grown(manifest, admitted, [columns, *parts.early_rewards], parts.early_activations)
        taken = {part_of(event_id).event_id for event_id in kept}
        wholes = [decision for decision in parts.wholes if decision.event_id in taken]
        grown = self._storage.add(grown, "wholes", [whole_columns(wholes, closed)])
        ledger = grown.ledger.plus(rewards_received=-parts.n_copied, activations=-parts.n_copied_activations)
        self._storage.commit(replace(grown, ledger=ledger))
        return {decision.event_id for decision in decisions if decision.event_id in (taken if decision.slots else kept)}

    def _past(self, decisions: pa.Table, closed: int) -> pa.Table:
        """Decisions of history: where events wait for their window, one that has just ended."""
        if not self._labelling.waits:
            return decisions
        at = np.full(len(decisions), closed + 1 - self._labelling.window, np.int64)
        return decisions.set_column(decisions.column_names.index("effective_at"), "effective_at", pa.array(at))

    def join(self, watermark: int) -> DataSet:
        """The data set of a watermark: joins what closed since the last one. Killed, it goes on from the last slice it finished.

        An older watermark gives its data set again. Other reward settings than before label all of history anew.
        """
        manifest = self._relabelled(self._storage.begin())
        for until in _cuts(manifest, max(watermark, self.watermark)):
            self._storage.commit(self._closed(manifest, self._joiner.join(manifest, until), until))
            manifest = self._storage.manifest
        return DataSet(self.directory, manifest, watermark)

    def dataset(self, watermark: int | None = None) -> DataSet:
        """A data set already joined, by default the newest. Reads only."""
        manifest = self._storage.manifest
        return DataSet(self.directory, manifest, manifest.joined if watermark is None else min(watermark, manifest.joined))

    def find(self, event_id: str) -> list[Record]:
        """What the lake holds of one event: its decision, then its rewards and activations."""
        return event_records(self.directory, self._storage.manifest, event_id)

    def look(self, erasure: Erasure) -> Found:
        """What there is of the events to be forgotten, up to the last join; changes nothing."""
        return look(self.directory, self._storage.manifest, erasure)

    def matching(self, wanted: Mapping[str, str]) -> Iterator[str]:
        """Ids of events whose context has features of these values, each as often as it has slots."""
        return matching(self.directory, self._storage.manifest, wanted)

    def erase(self, erasure: Erasure) -> None:
        """Take the content out of these events, in one step; no file with it is left. Raises `StorageUnavailable`.

        They leave every data set, whose fingerprints change. Decisions, rewards and activations stay as empty rows, so the ledger
        is what it was. A reader in another process may meet a file that is gone (`Corrupt`), and finds all when it asks again.
        """
        manifest = self._storage.begin()
        kept = erase(self.directory, manifest, erasure)
        self._storage.commit(replace(kept, retired=()))
        self._storage.sweep()

    def prune(self, before: int) -> int:
        """Forget closed events older than `before`, by whole files; returns the events that left.

        Events that are open, and what may still concern them, stay. Fingerprints and ledger go on as if all were there.
        """
        manifest = self._storage.begin()
        window = self._labelling.window
        before = min(before, manifest.joined - 2 * window)
        labels = manifest.of("labels")
        old = [part for part in labels if part.max_at < before]
        floor = min([before, *(part.min_at for part in labels if part not in old)]) - window
        old += [part for part in manifest.parts if part.kind not in ("labels", "unmatched") and part.max_at < floor]
        kept = tuple(part for part in manifest.parts if part not in old)
        sums = add(manifest.pruned, *(part.sums for part in old))
        self._storage.commit(replace(retire(manifest, old, kept), pruned=sums))
        return sum(part.rows for part in old if part.kind == "labels")

    def _grown(
        self, manifest: Manifest, admitted: Admitted, rewards: Sequence[pa.Table], activations: Sequence[pa.Table]
    ) -> Manifest:
        """The manifest with rows added, their files written; nothing is committed."""
        manifest = self._storage.add(manifest, "decisions", [admitted.table])
        manifest = self._storage.add(manifest, "rewards", rewards)
        manifest = self._storage.add(manifest, "activations", activations)
        ledger = manifest.ledger.plus(
            decisions=admitted.table.num_rows - len(admitted.superseded),
            activations=sum(table.num_rows for table in activations),
            rewards_received=sum(table.num_rows for table in rewards),
        )
        return replace(manifest, ledger=ledger, superseded=manifest.superseded + admitted.superseded)

    def _relabelled(self, manifest: Manifest) -> Manifest:
        if manifest.labelling in (None, self._labelling):
            return replace(manifest, labelling=self._labelling)
        old = manifest.of("labels") + manifest.of("unmatched") + manifest.of("metrics")
        kept = tuple(part for part in manifest.parts if part not in old)
        fresh = replace(retire(manifest, old, kept), joined=-1, pruned=(0, 0), ledger=manifest.ledger.unjoined())
        return replace(fresh, labelling=self._labelling)

    def _closed(self, manifest: Manifest, sliced: Slice, until: int) -> Manifest:
        """The manifest with a slice's labels added, their files written; nothing is committed."""
        manifest = self._storage.add(manifest, "labels", sliced.labels)
        manifest = self._storage.add(manifest, "unmatched", sliced.unmatched)
        manifest = self._storage.add(manifest, "metrics", sliced.metrics)
        settled = [part for part in manifest.of("unmatched") if part.max_at <= until - self._labelling.window]
        manifest = retire(manifest, settled, tuple(part for part in manifest.parts if part not in settled))
        return replace(manifest, joined=until, ledger=manifest.ledger.plus(**sliced.counts))


def read_ledger(directory: Path) -> Ledger:
    """The ledger of the lake in a directory, up to its newest join; nothing is joined or changed."""
    return Storage(directory).manifest.ledger


def read_joined(directory: Path) -> int | None:
    """The watermark of that join; None before the first."""
    joined = Storage(directory).manifest.joined
    return joined if joined >= 0 else None


def _cuts(manifest: Manifest, until: int) -> list[int]:
    """Watermarks after `manifest.joined` up to `until`, so that between two there are about `SLICE_ROWS` decisions."""
    if until <= manifest.joined:
        return []
    cuts, rows = [], 0
    for part in sorted(manifest.between("decisions", manifest.joined, until), key=lambda part: part.max_at):
        rows += part.rows
        if rows >= SLICE_ROWS and part.max_at < until:
            cuts.append(part.max_at)
            rows = 0
    return [*sorted(set(cuts)), until]
