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
    on_rest: Callable[[], None] = lambda: None,
    *,
    max_cycles: int | None = None,
) -> int:
    """Take turns until `stop` is set or `max_cycles` are done; returns how many. First finishes what a killed process left."""
    done = 0
    resumed = cycle.resume(cycle.join())
    if resumed is not None:
        on_cycle(resumed)
        done += 1
    joined_at = 0
    while not stop.is_set() and (max_cycles is None or done < max_cycles):
        if not cycle.ripe(joined_at):
            on_rest()
            stop.wait(POLL_SECONDS)
            continue
        joined_at = clock.now()
        data = cycle.join()
        if cycle.due(data, joined_at):
            on_cycle(cycle.turn(data))
            done += 1
    return done
