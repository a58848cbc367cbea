"""Decisions since an instant in the order they were made, each with its variant and reward: what comparing variants needs.

Only as far as nothing is open: where an event still waits for its reward, it and all after it are left out. So how long a reward
takes, or that there will be none, cannot favour a variant.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from rewardloop.interactions import Floats, Ints
from rewardloop.lake.manifest import Manifest
from rewardloop.lake.parts import read_part

_COLUMNS = ("seq", "decided_at", "variant", "model_id", "sticky")


@dataclass(frozen=True, slots=True)
class Followed:
    """(n,) each."""

    decided_at: Ints
    variant: npt.NDArray[np.str_]
    model_id: npt.NDArray[np.str_]
    reward: Floats
    sticky: Sequence[str]
    """What the client asked the variant to follow; empty where it did not."""
    event_id: Sequence[str]
    context: Sequence[bytes]
    """Contexts are empty where they were not asked for, event ids where no decision fills several slots either."""

    def __len__(self) -> int:
        return len(self.decided_at)

    def before(self, end: int) -> Followed:
        """Those decided before an instant: they stand in order."""
        n = int(np.searchsorted(self.decided_at, end))
        columns = (self.decided_at[:n], self.variant[:n], self.model_id[:n], self.reward[:n], self.sticky[:n])
        return Followed(*columns, self.event_id[:n], self.context[:n])


def follow(directory: Path, manifest: Manifest, since: int, watermark: int, *, contexts: bool) -> Followed:
    """Decisions made after `since`, known as of `watermark`. Memory: these columns of them. Raises `Corrupt`."""
    with_ids = contexts or bool(manifest.of("wholes"))
    columns = (*_COLUMNS, *(["event_id"] if with_ids else []), *(["context"] if contexts else []))
    parts = manifest.between("decisions", since, watermark)
    tables = [read_part(directory, part, columns) for part in parts]
    if not tables:
        return _nothing()
    table = pa.concat_tables([rows.filter(pc.greater(rows["decided_at"], since)) for rows in tables])
    reward = _rewards(directory, manifest, since, watermark, table["seq"].to_numpy())
    decided_at = table["decided_at"].to_numpy()
    gone = np.isin(table["seq"].to_numpy(), np.array(manifest.superseded, np.int64))
    window = manifest.labelling.window if manifest.labelling else 0
    is_open = np.isnan(reward) & ~gone & (decided_at + window > watermark)
    until = decided_at[is_open].min() if is_open.any() else watermark + 1
    rows = np.flatnonzero(~np.isnan(reward) & (decided_at < until))
    rows = rows[np.argsort(decided_at[rows], kind="stable")]
    table = table.take(rows)
    return Followed(
        decided_at[rows],
        np.array(table["variant"].to_pylist(), dtype=np.str_),
        np.array(table["model_id"].to_pylist(), dtype=np.str_),
        reward[rows],
        table["sticky"].to_pylist(),
        table["event_id"].to_pylist() if with_ids else (),
        table["context"].cast(pa.binary()).to_pylist() if contexts else (),
    )


def _rewards(directory: Path, manifest: Manifest, since: int, watermark: int, seq: Ints) -> Floats:
    """(n,) NaN where the event is not closed."""
    rewards = np.full(len(seq), np.nan)
    order = np.argsort(seq)
    for part in manifest.between("labels", since, watermark):
        labels = read_part(directory, part, ["seq", "closed_at", "reward"])
        known = labels["seq"].to_numpy()
        place = order[np.minimum(np.searchsorted(seq, known, sorter=order), max(len(seq) - 1, 0))] if len(seq) else order
        if len(place):
            found = (seq[place] == known) & (labels["closed_at"].to_numpy() <= watermark)
            rewards[place[found]] = labels["reward"].to_numpy()[found]
    return rewards


def _nothing() -> Followed:
    none, text = np.empty(0, np.int64), np.empty(0, np.str_)
    return Followed(none, text, text, np.empty(0), (), (), ())
