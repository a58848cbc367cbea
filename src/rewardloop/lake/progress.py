"""What was earned from the beginning on, stretch after stretch of decisions: to look at, not to learn from or to judge by."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa

from rewardloop.interactions import Floats, Ints
from rewardloop.lake.manifest import Manifest
from rewardloop.lake.parts import open_part, read_part

STRETCHES = 40
SHORTEST = 50
"""Decisions, where there are as many: a mean of fewer says little."""
_Z = 1.96
_BATCH = 65_536
_COLUMNS = ["seq", "decided_at", "model_id", "action"]


class Stretch(msgspec.Struct, frozen=True):
    """Closed decisions that were made one after another; each slot of a ranking is one."""

    n: int
    first_at: int
    last_at: int
    """When the first and the last of them was made."""
    model_id: str
    """That made the last of them."""
    reward: float
    """Mean."""
    lower: float
    upper: float
    """95 %, normal, of this stretch alone. Of one decision: its reward."""
    chosen: tuple[int, ...]
    """How often each fixed action was; empty where requests bring them."""


class Progress(msgspec.Struct, frozen=True):
    """Stretches of about equal numbers of decisions, oldest first; none where nothing has closed."""

    stretches: tuple[Stretch, ...]
    actions: tuple[str, ...]
    """The fixed ones, as `chosen` counts them."""

    @property
    def n(self) -> int:
        return sum(stretch.n for stretch in self.stretches)


def progress(directory: Path, manifest: Manifest, watermark: int, actions: tuple[str, ...]) -> Progress:
    """As of a watermark. Memory: two numbers an event. Raises `Corrupt`."""
    seq, reward = _closed(directory, manifest, watermark)
    if not len(seq):
        return Progress((), actions)
    sums = _Sums(int(np.clip(len(seq) // SHORTEST, 1, STRETCHES)), len(actions))
    for part in manifest.of("decisions"):
        with open_part(directory, part) as file:
            for rows in file.iter_batches(_BATCH, columns=_COLUMNS, use_threads=False):
                place = np.minimum(np.searchsorted(seq, rows["seq"].to_numpy()), len(seq) - 1)
                known = np.flatnonzero(seq[place] == rows["seq"].to_numpy())
                sums.add(rows.take(known), place[known] * sums.k // len(seq), reward[place[known]])
    return Progress(sums.stretches(), actions)


def _closed(directory: Path, manifest: Manifest, watermark: int) -> tuple[Ints, Floats]:
    """Numbers and rewards of the events closed by then, in order of their numbers: about that of their decisions."""
    found = [np.empty(0, np.int64)], [np.empty(0)]
    for part in manifest.between("labels", -1, watermark):
        labels = read_part(directory, part, ("seq", "closed_at", "reward"))
        closed = labels["closed_at"].to_numpy() <= watermark
        found[0].append(labels["seq"].to_numpy()[closed])
        found[1].append(labels["reward"].to_numpy()[closed])
    seq, reward = np.concatenate(found[0]), np.concatenate(found[1])
    order = np.argsort(seq, kind="stable")
    return seq[order], reward[order]


class _Sums:
    """Of each of k stretches."""

    def __init__(self, k: int, n_actions: int) -> None:
        self.k = k
        self._n, self._reward, self._squares = np.zeros(k, np.int64), np.zeros(k), np.zeros(k)
        self._chosen = np.zeros((k, n_actions), np.int64)
        self._first, self._last = np.full(k, np.iinfo(np.int64).max), np.full(k, -1)
        self._model = [""] * k

    def add(self, rows: pa.RecordBatch, stretch: Ints, reward: Floats) -> None:
        at, action = rows["decided_at"].to_numpy(), rows["action"].to_numpy()
        self._n += np.bincount(stretch, minlength=self.k)
        self._reward += np.bincount(stretch, reward, self.k)
        self._squares += np.bincount(stretch, reward**2, self.k)
        if self._chosen.size:
            fixed = (action >= 0) & (action < self._chosen.shape[1])
            np.add.at(self._chosen, (stretch[fixed], action[fixed]), 1)
        np.minimum.at(self._first, stretch, at)
        for of in np.unique(stretch).tolist():
            mine = np.flatnonzero(stretch == of)
            latest = int(mine[np.argmax(at[mine])])
            if at[latest] >= self._last[of]:
                self._last[of], self._model[of] = at[latest], rows["model_id"][latest].as_py()

    def stretches(self) -> tuple[Stretch, ...]:
        return tuple(self._stretch(i) for i in range(self.k) if self._n[i])

    def _stretch(self, i: int) -> Stretch:
        n = int(self._n[i])
        mean = float(self._reward[i] / n)
        variance = max(float(self._squares[i] / n) - mean**2, 0.0)
        half = _Z * (variance / max(n - 1, 1)) ** 0.5
        chosen = tuple(self._chosen[i].tolist())
        return Stretch(n, int(self._first[i]), int(self._last[i]), self._model[i], mean, mean - half, mean + half, chosen)
