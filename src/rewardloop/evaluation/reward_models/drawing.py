"""Which events the reward model learns from: all, or of a log larger than memory as many as are affordable, drawn by hash."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from rewardloop.interactions import Box, Floats, Interactions, Ints

LEARN_FROM = 50_000
"""A ridge of 256 columns has long learned what it can; 100 MB of columns. All events of a smaller log."""


class Drawn(NamedTuple):
    """A uniform sample of a stream of events, in their order."""

    events: Interactions
    beside: Floats
    """(n, c) the numbers that came with them."""
    positions: Ints
    """Of each in the stream, growing."""
    n_seen: int
    """Events of the stream."""

    def folds(self, of_drawn: Ints, n_folds: int, at: int, n: int) -> Ints:
        """(n,) of the events `at` and after: those of a model, `of_drawn`, for what it learned from.

        It has not seen the others: they take the folds in turn.
        """
        fold = np.arange(at, at + n) % n_folds
        start, stop = np.searchsorted(self.positions, [at, at + n])
        fold[self.positions[start:stop] - at] = of_drawn[start:stop]
        return fold


def draw(batches: Iterable[tuple[Interactions, Floats]], seed: int, n: int = LEARN_FROM) -> Drawn:
    """The `n` events whose id hashes lowest under `seed`; of equal hashes the earlier. Holds at most 2·n and a batch.

    With each batch come c numbers an event, (len(batch), c), that are kept with those drawn.

    The same ids and seed draw the same events, however the stream is cut into batches.
    """
    salt = zlib.crc32(b"reward model %d" % seed)
    held: list[Interactions] = []
    ranks, positions, beside, n_seen = [np.empty(0, np.int64)], [np.empty(0, np.int64)], list[Floats](), 0
    bar = np.iinfo(np.int64).max
    for batch, numbers in batches:
        rank = np.array([zlib.crc32(event_id.encode(), salt) for event_id in batch.event_ids], dtype=np.int64)
        rows = np.flatnonzero(rank < bar)
        held.append(batch if len(rows) == len(batch) else batch.take(rows))
        ranks.append(rank[rows])
        positions.append(rows + n_seen)
        beside.append(numbers[rows])
        n_seen += len(batch)
        if sum(map(len, ranks)) > 2 * n:
            kept, rank = _lowest(np.concatenate(ranks), n)
            bar = int(rank.max())
            held, ranks = [joined(held).take(kept)], [rank]
            positions, beside = [np.concatenate(positions)[kept]], [np.concatenate(beside)[kept]]
    kept, _ = _lowest(np.concatenate(ranks), n)
    events = joined(held)
    events = events if len(kept) == len(events) else events.take(kept)
    numbers = np.concatenate(beside)[kept] if beside else np.empty((0, 0))
    return Drawn(events, numbers, np.concatenate(positions)[kept], n_seen)


def _lowest(rank: Ints, n: int) -> tuple[Ints, Ints]:
    kept = np.sort(np.argsort(rank, kind="stable")[:n])
    return kept, rank[kept]


def joined(parts: Sequence[Interactions]) -> Interactions:
    """One after the other."""
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return Interactions.empty()
    starts = np.cumsum([0, *(part.offsets[-1] for part in parts[:-1])])
    return Interactions(
        [event_id for part in parts for event_id in part.event_ids],
        [context for part in parts for context in part.contexts],
        [actions for part in parts for actions in part.actions],
        np.concatenate([part.action for part in parts]),
        _one([part.probability for part in parts]),
        _one([part.reward for part in parts]),
        _one([part.pmf for part in parts]),
        np.concatenate([[0], *(part.offsets[1:] + start for part, start in zip(parts, starts, strict=True))]).astype(np.int64),
        _one([part.sample_prob for part in parts]),
        np.concatenate([part.closed_at for part in parts]),
        box=Box.concatenated(parts),
    )


def _one(columns: Sequence[Floats]) -> Floats:
    return np.concatenate(columns)
