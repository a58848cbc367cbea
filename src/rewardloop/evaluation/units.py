"""What is independent of what: an event, and of a decision over several slots the slots together. No estimate lives here.

Slots share a context and whoever looks at them, so that what they earn goes up and down together: as many events, they would make
intervals too narrow, by up to the square root of their number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rewardloop.ids import decisions_of
from rewardloop.interactions import Floats, Ints


@dataclass(frozen=True, slots=True)
class Units:
    """n events in m ≤ n units, numbered in the order they begin."""

    n: int
    number: Ints | None = None
    """(n,) the unit of each event, from 0; None where each is its own."""

    def __len__(self) -> int:
        return self.n if self.number is None else int(self.number.max(initial=-1)) + 1

    def taken(self, kept: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Units:
        """Of some of the events."""
        if self.number is None:
            return Units(int(kept.sum()))
        return Units(int(kept.sum()), _renumbered(self.number[kept]))

    def scores(self, of_events: Floats) -> Floats:
        """(n,) to (m,), of the same mean: their spread is that of the mean over units of several sizes, by the delta method.

        >>> Units(4, np.array([0, 0, 1, 1])).scores(np.array([1.0, 3.0, 0.0, 0.0]))
        array([2., 0.])
        """
        if self.number is None or not len(of_events):
            return of_events
        mean = float(of_events.mean())
        sums = np.bincount(self.number, of_events - mean)
        return np.asarray(mean + sums * (len(sums) / self.n), dtype=np.float64)

    def weights(self, of_events: Floats) -> Floats:
        """(n,) to (m,): the mean weight of a unit's events, or, where units are of several sizes, the sum over the mean size."""
        if self.number is None:
            return of_events
        total = np.bincount(self.number, of_events)
        return np.asarray(total * (len(total) / self.n), dtype=np.float64)

    def rewards(self, weight: Floats, reward: Floats) -> Floats:
        """(n,) to (m,): the mean reward under the weights of a unit's events; plain, where they have none."""
        if self.number is None:
            return reward
        total = np.bincount(self.number, weight)
        plain = np.bincount(self.number, reward) / np.bincount(self.number)
        return np.divide(np.bincount(self.number, weight * reward), total, out=plain, where=total > 0)


def units_of(event_ids: Sequence[str]) -> Units:
    """Of events that are held at once.

    >>> from rewardloop.ids import slot_event_id
    >>> len(units_of([slot_event_id("a", "top", 0), "b", slot_event_id("a", "side", 1)]))
    2
    """
    tally = UnitTally()
    tally.add(event_ids)
    return tally.result()


class UnitTally:
    """Units counted a batch of event ids at a time. Where no event is a slot's, nothing is kept of them."""

    def __init__(self) -> None:
        self._parts: list[Ints | range] = []
        self._number: dict[str, int] = {}
        self._n, self._n_units = 0, 0

    def add(self, event_ids: Sequence[str]) -> None:
        """A decision's slots may come in several batches."""
        wholes = decisions_of(event_ids)
        if wholes is None:
            self._parts.append(range(self._n_units, self._n_units + len(event_ids)))
            self._n_units += len(event_ids)
        else:
            self._parts.append(np.array([self._unit(event_id) for event_id in wholes], dtype=np.int64))
        self._n += len(event_ids)

    def _unit(self, event_id: str) -> int:
        number = self._number.setdefault(event_id, self._n_units)
        self._n_units = max(self._n_units, number + 1)
        return number

    def result(self) -> Units:
        """Of all that were counted."""
        return Units(self._n, np.concatenate([np.asarray(part) for part in self._parts]) if self._number else None)


def _renumbered(number: Ints) -> Ints:
    """From 0, in the order they first appear."""
    _, first, found = np.unique(number, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[found]
