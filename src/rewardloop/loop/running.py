"""Running for ever: a turn of the loop whenever one is due, until told to stop."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event

from rewardloop.clock import Clock
from rewardloop.loop.cycle import Cycle, CycleReport

POLL_SECONDS = 0.2


def run(
    cycle: Cycle,
    clock: Clock,
    stop: Event,
    on_cycle: Callable[[CycleReport], None],
    *,
    max_cycles: int | None = None,
    poll_seconds: float = POLL_SECONDS,
) -> int:
    """Take turns until `stop` is set or `max_cycles` are done; returns how many. First finishes what a killed process left."""
    done = 0
    resumed = cycle.resume(cycle.join())
    if resumed is not None:
        on_cycle(resumed)
        done += 1
    while not stop.is_set() and (max_cycles is None or done < max_cycles):
        data = cycle.join()
        if cycle.due(data, clock.now()):
            on_cycle(cycle.turn(data))
            done += 1
        else:
            stop.wait(poll_seconds)
    return done
