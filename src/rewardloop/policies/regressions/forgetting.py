"""When to forget: the whole past against the recent past, each judged on events it has not learned yet. Learns no weights.

Two regressions learn the same events: one from all of them, one begun anew from time to time. Before each event both predict
its reward. Where the recent one has been nearer to the truth, surely, the world has changed: it takes the other's place, and
with fewer events behind it a wider posterior, so exploration begins again. In a world that does not change the recent one is
always behind, and nothing is lost but the cost of learning twice.
"""

from __future__ import annotations

from math import sqrt
from typing import Annotated, Final

import msgspec
import numpy as np
from msgspec import Meta

from rewardloop.interactions import Floats

MEMORY: Final = 200.0
"""Events over which the comparison looks back, exponentially."""
BAR: Final = 4.0
"""Standard errors; beside a stationary world, where the recent regression is behind, looked at every event."""
YOUNG: Final = 1_000
"""The recent regression learns from as many events before it is begun anew; or from a quarter of all, where that is more."""


class WatchState(msgspec.Struct, frozen=True):
    """What the comparison remembers."""

    n_all: Annotated[int, Meta(ge=0)] = 0
    """Events behind the whole regression."""
    n_recent: Annotated[int, Meta(ge=0)] = 0
    """Behind the recent one."""
    gain: float = 0.0
    """Σ w·d, d by how much the recent one's squared error was smaller, w halving with age."""
    scatter: Annotated[float, Meta(ge=0)] = 0.0
    """Σ w²·d²."""
    n_restarts: Annotated[int, Meta(ge=0)] = 0
    n_inherited: Annotated[int, Meta(ge=0)] = 0
    """Events that the recent regression had behind it when it took the other's place."""


class Watch:
    """The comparison; who owns the regressions asks after each batch what to do with them.

    >>> watch = Watch(WatchState())
    >>> watch.look(np.full(400, -0.01)); watch.changed, watch.stale
    (False, False)
    >>> watch.look(np.full(400, 0.05)); watch.changed
    True
    """

    def __init__(self, state: WatchState) -> None:
        self._state = state

    def state(self) -> WatchState:
        return self._state

    @property
    def n_restarts(self) -> int:
        """How often the past was forgotten."""
        return self._state.n_restarts

    @property
    def n_since_change(self) -> int | None:
        """Events since the world changed, at most: since that was noticed, and those it took to notice. None: it did not."""
        s = self._state
        return s.n_all - s.n_inherited + int(MEMORY) if s.n_restarts else None

    def look(self, gains: Floats) -> None:
        """(n,) by how much the recent regression's squared error was smaller, event by event."""
        s, ages = self._state, np.arange(len(gains))[::-1]
        weights = np.exp(-ages / MEMORY)
        old = np.exp(-len(gains) / MEMORY)
        self._state = WatchState(
            s.n_all + len(gains),
            s.n_recent + len(gains),
            float(s.gain * old + weights @ gains),
            float(s.scatter * old * old + np.square(weights) @ np.square(gains)),
            s.n_restarts,
            s.n_inherited,
        )

    @property
    def changed(self) -> bool:
        """Whether the recent past predicts better, by more than chance."""
        return self._state.gain > BAR * sqrt(self._state.scatter) and self._state.n_recent >= MEMORY / 2

    @property
    def stale(self) -> bool:
        """Whether the recent regression is recent no more."""
        return self._state.n_recent >= max(YOUNG, self._state.n_all // 4)

    def forget(self) -> None:
        """The recent regression has become the whole one."""
        s = self._state
        self._state = WatchState(s.n_recent, 0, 0.0, 0.0, s.n_restarts + 1, s.n_recent)

    def renew(self) -> None:
        """A recent regression begins anew."""
        s = self._state
        self._state = WatchState(s.n_all, 0, 0.0, 0.0, s.n_restarts, s.n_inherited)
