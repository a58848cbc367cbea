"""Learning by Vowpal Wabbit's own driver, in a process of its own: it holds the GIL, so here it would stop everything else.

The lines are made in this process while the driver learns in the other. The wheel has no `vw` executable and
`python -m vowpalwabbit` refuses standard input, but reads `/dev/stdin`: nothing is spooled to disk.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import IO

from rewardloop.errors import RewardloopError

MAX_PIECES = 8
"""Pieces made ahead of the driver."""


def drive(arguments: Sequence[str], lines: Iterable[bytes], initial: Path, final: Path) -> None:
    """Weights `initial` become `final` by learning the lines in order. Raises `RewardloopError` where the driver fails.

    `lines` may come in pieces of any size; the directory of `final` holds the driver's error output meanwhile.
    """
    files = ["-d", "/dev/stdin", "-i", str(initial), "-f", str(final)]
    command = [sys.executable, "-P", "-m", "vowpalwabbit", *arguments, *files]
    with (final.parent / "driver.log").open("w+b") as log:
        driver = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log, bufsize=0)
        try:
            _feed_beside(driver.stdin, lines)
            code = driver.wait()
        finally:
            driver.kill()
            driver.wait()
        if code != 0 or not final.exists():
            raise RewardloopError(f"Vowpal Wabbit's driver ended with code {code}: {_tail(log)}")


def _feed_beside(pipe: IO[bytes] | None, lines: Iterable[bytes]) -> None:
    """Lines are made here while a thread waits for the driver to take those before: a pipe holds too few for both to run."""
    assert pipe is not None
    made: Queue[bytes | None] = Queue(MAX_PIECES)
    feeder = Thread(target=_feed, args=(pipe, made), daemon=True)
    feeder.start()
    try:
        for piece in lines:
            made.put(piece)
    finally:
        made.put(None)
        feeder.join()


def _feed(pipe: IO[bytes], made: Queue[bytes | None]) -> None:
    with pipe:
        while (piece := made.get()) is not None:
            try:
                _write(pipe, piece)
            except BrokenPipeError:  # the driver has ended: its exit code tells why
                while made.get() is not None:
                    pass
                return


def _write(pipe: IO[bytes], piece: bytes) -> None:
    view = memoryview(piece)
    while view:
        view = view[pipe.write(view) :]


def _tail(log: IO[bytes]) -> str:
    log.seek(0)
    said = log.read(100_000).decode(errors="replace").strip().splitlines()
    return said[-1] if said else "it said nothing"
