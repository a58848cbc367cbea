"""Rewards that come later: how much later, and which have come by now."""

from __future__ import annotations

import heapq
from collections.abc import Iterable

import numpy as np

from rewardloop.interactions import Ints
from rewardloop.testbed.cell import Knobs


def drawn_delays(knobs: Knobs, of_world: float, waits: np.random.Generator) -> Ints:
    """(rounds,) whole rounds, exponentially distributed around the knobs' mean or the world's own; 0 draws nothing."""
    mean = of_world if knobs.delay is None else knobs.delay
    return waits.exponential(mean, knobs.rounds).astype(np.int64) if mean else np.zeros(knobs.rounds, np.int64)


class Underway:
    """Rounds that were decided and not yet rewarded.

    >>> underway = Underway(np.array([2, 0, 9]))
    >>> underway.begin([0, 1, 2])
    >>> underway.arrived(2), underway.arrived(10)
    ([1, 0], [])
    """

    def __init__(self, delays: Ints) -> None:
        self._delays = delays
        self._waiting: list[tuple[int, int]] = []

    def begin(self, rows: Iterable[int]) -> None:
        """These are decided."""
        for row in rows:
            heapq.heappush(self._waiting, (row + int(self._delays[row]), row))

    def arrived(self, now: int) -> list[int]:
        """Those whose reward comes by round `now`, in the order they come; each once."""
        found = []
        while self._waiting and self._waiting[0][0] <= now:
            found.append(heapq.heappop(self._waiting)[1])
        return found
