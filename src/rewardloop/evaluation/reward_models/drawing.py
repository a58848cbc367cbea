"""Which events the reward model learns from: all, or of a log larger than memory as many as are affordable, drawn by hash."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from rewardloop.actions import ActionSet
from rewardloop.ids import decisions_of
from rewardloop.interactions import Floats, Interactions, Ints

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
    """The `n` events whose id hashes lowest under `seed`, slots by their decision's; of equal hashes the earlier.

    Holds at most 2·n, with what they took, and a batch.
    With each batch come c numbers an event, (len(batch), c), that are kept with those drawn.

    The same ids and seed draw the same events, however the stream is cut into batches.
    """
    salt = zlib.crc32(b"reward model %d" % seed)
    held: list[Interactions] = []
    ranks, positions, beside, n_seen = [np.empty(0, np.int64)], [np.empty(0, np.int64)], list[Floats](), 0
    bar = np.iinfo(np.int64).max
    for batch, numbers in batches:
        of_whom = decisions_of(batch.event_ids) or batch.event_ids
        rank = np.array([zlib.crc32(event_id.encode(), salt) for event_id in of_whom], dtype=np.int64)
        rows = np.flatnonzero(rank < bar)
        held.append(taken_alone(batch if len(rows) == len(batch) else batch.take(rows)))
        ranks.append(rank[rows])
        positions.append(rows + n_seen)
        beside.append(numbers[rows])
        n_seen += len(batch)
        if sum(map(len, ranks)) > 2 * n:
            kept, rank = _lowest(np.concatenate(ranks), n)
            bar = int(rank.max())
            held, ranks = [Interactions.concatenated(held).take(kept)], [rank]
            positions, beside = [np.concatenate(positions)[kept]], [np.concatenate(beside)[kept]]
    kept, _ = _lowest(np.concatenate(ranks), n)
    events = Interactions.concatenated(held)
    events = events if len(kept) == len(events) else events.take(kept)
    numbers = np.concatenate(beside)[kept] if beside else np.empty((0, 0))
    return Drawn(events, numbers, np.concatenate(positions)[kept], n_seen)


def _lowest(rank: Ints, n: int) -> tuple[Ints, Ints]:
    kept = np.sort(np.argsort(rank, kind="stable")[:n])
    return kept, rank[kept]


def taken_alone(events: Interactions) -> Interactions:
    """The same events, where actions have features as if nothing but the chosen one had been on offer.

    What was not taken teaches nothing about rewards, and of wide offers it is nearly all of the memory.
    """
    if all(offered.features is None or offered.cells is not None for offered in events.actions):
        return events  # Arms and cells are the same for all.
    alone: dict[tuple[int, int], ActionSet] = {}
    for offered, i in zip(events.actions, events.action.tolist(), strict=True):
        if (id(offered), i) not in alone:
            alone[id(offered), i] = offered.only([i])
    return replace(
        events,
        actions=[alone[id(offered), i] for offered, i in zip(events.actions, events.action.tolist(), strict=True)],
        action=np.zeros_like(events.action),
        pmf=events.pmf[events.chosen],
        offsets=np.arange(len(events) + 1),
    )
