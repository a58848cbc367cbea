"""Cells in parallel processes, those that are finished already left out. What a cell does stands in `played` and `replaying`."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from functools import cache
from itertools import product
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Thread

from threadpoolctl import threadpool_limits

from rewardloop.clock import cpu_seconds
from rewardloop.interrupts import deferred
from rewardloop.testbed.arms import skyline
from rewardloop.testbed.cell import SKYLINE, Cell, Contender, Knobs, Row, skyline_cell
from rewardloop.testbed.played import played
from rewardloop.testbed.replaying import replay
from rewardloop.testbed.results import Results
from rewardloop.worlds.cascade import RankedWorld
from rewardloop.worlds.catalogue import SIMULATED, find_world
from rewardloop.worlds.logged import LoggedWorld, read_log
from rewardloop.worlds.stream import World

LOG = "log:"
"""What the name of a world that is a logged file begins with."""


def cells(contenders: Sequence[Contender], worlds: Sequence[str], n_seeds: int, knobs: Knobs) -> list[Cell]:
    """Every combination, seed by seed: what is finished early tells something of everything. Data sets' skylines first."""
    labelled = [world for world in worlds if world not in SIMULATED and not world.startswith(LOG)]
    runs = [Cell(who, world, seed, knobs) for seed, world, who in product(range(n_seeds), worlds, contenders)]
    return [*map(skyline_cell, labelled), *runs]


def run(
    wanted: Sequence[Cell],
    results: Results,
    *,
    label: str | None,
    jobs: int,
    on_row: Callable[[Row], None] = lambda _: None,
) -> list[Row]:
    """Rows of all wanted cells, in their order; those that are not in `results` are run and added to them.

    Whatever a cell raises is raised here, after the cells under way are finished and kept; Ctrl-C does not wait for them.
    """
    before = multiprocessing.active_children()
    done = {row.key: row for row in results.rows}
    todo = [cell for cell in wanted if cell.key not in done]
    if todo:
        with ProcessPoolExecutor(
            min(jobs, len(todo)), mp_context=multiprocessing.get_context("spawn"), initializer=_prepare
        ) as pool:
            try:
                with deferred():
                    futures = [pool.submit(run_cell, cell, label) for cell in todo]
                _collect(futures, pool, results, on_row)
            except KeyboardInterrupt:
                _end([child for child in multiprocessing.active_children() if child not in before])
                raise
    done = {row.key: row for row in results.rows}
    return [done[cell.key] for cell in wanted]


def run_cell(cell: Cell, label: str | None) -> Row:
    """One cell, in this process."""
    world = load_world(cell.world, label)
    if isinstance(world, LoggedWorld):
        return replay(cell, world, cpu_seconds)
    if cell.contender.name == SKYLINE and not isinstance(world, RankedWorld):
        return skyline(cell, world)
    return played(cell, world, cpu_seconds)


@cache
def load_world(name: str, label: str | None) -> World | RankedWorld | LoggedWorld:
    """A world by name, read once a process."""
    return read_log(Path(name.removeprefix(LOG))) if name.startswith(LOG) else find_world(name, label)


def _collect(futures: Sequence[Future[Row]], pool: ProcessPoolExecutor, results: Results, on_row: Callable[[Row], None]) -> None:
    try:
        for future in as_completed(futures):
            row = future.result()
            results.add(row)
            on_row(row)
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        raise


def _end(processes: Sequence[BaseProcess]) -> None:
    for process in processes:
        process.terminate()


def _prepare() -> None:
    """One thread of arithmetic a process, and no process that outlives its parent."""
    threadpool_limits(1)
    Thread(target=_leave_with_the_parent, daemon=True).start()


def _leave_with_the_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)
