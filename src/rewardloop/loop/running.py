"""Running for ever: a turn of the loop whenever one is due, until told to stop."""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Event

from rewardloop.clock import Clock
from rewardloop.errors import StorageUnavailable
from rewardloop.loop.cycle import Cycle, CycleReport
from rewardloop.registry.records import RolloutStep
from rewardloop.trouble import Trouble

POLL_SECONDS = 0.2
RETRY_SECONDS = 5.0

_logger = logging.getLogger(__name__)


def run(
    cycle: Cycle,
    clock: Clock,
    stop: Event,
    on_cycle: Callable[[CycleReport], None],
    on_rest: Callable[[], None] = lambda: None,
    *,
    on_step: Callable[[RolloutStep], None] = lambda _: None,
    max_cycles: int | None = None,
) -> int:
    """Take turns until `stop` is set or `max_cycles` are done; returns how many. First finishes what a killed process left.

    `on_rest` is called between any two turns, also while one follows at once upon another, and at each look that finds none due.
    A disk that is full or gone is waited for: nothing is lost meanwhile, and the turn is taken again.
    """
    turns = _Turns(cycle, clock, on_cycle, on_step)
    turns.finish()
    trouble = Trouble(_logger, "The turn of the loop")
    while not stop.is_set() and (max_cycles is None or turns.done < max_cycles):
        try:
            taken = turns.take()
            on_rest()
            if taken:
                trouble.is_over()
            else:
                stop.wait(POLL_SECONDS)
        except StorageUnavailable as error:
            trouble.goes_on(error)
            stop.wait(RETRY_SECONDS)
    return turns.done


class _Turns:
    """Turns as they fall due."""

    def __init__(
        self, cycle: Cycle, clock: Clock, on_cycle: Callable[[CycleReport], None], on_step: Callable[[RolloutStep], None]
    ) -> None:
        self.done = 0
        self._cycle = cycle
        self._clock = clock
        self._on_cycle = on_cycle
        self._on_step = on_step
        self._joined_at = 0

    def finish(self) -> None:
        """What an earlier process began and did not finish."""
        self._report(self._cycle.resume(self._cycle.join()))

    def take(self) -> bool:
        """A join, and a turn if one is due; False when there was nothing to do."""
        if not self._cycle.ripe(self._joined_at):
            self._step(self._cycle.watch())
            return False
        self._joined_at = self._clock.now()
        data = self._cycle.join()
        self._step(self._cycle.advance(data))
        self._report(self._cycle.resume(data))
        if self._cycle.due(data, self._joined_at):
            self._report(self._cycle.turn(data))
        return True

    def _step(self, step: RolloutStep | None) -> None:
        if step is not None:
            self._on_step(step)

    def _report(self, report: CycleReport | RolloutStep | None) -> None:
        if isinstance(report, RolloutStep):
            self._on_step(report)
        elif report is not None:
            self.done += 1
            self._on_cycle(report)
