"""The online learner as a process of its own: `python -m rewardloop.loop.learner EXPERIMENT DATA`, kept alive by the loop.

A process, because learning holds the interpreter while it learns, and the loop's turns must not wait for it, nor it for them.
It leaves when its standard input ends: a loop that was killed leaves no learner behind.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from pathlib import Path
from threading import Event, Thread
from types import TracebackType
from typing import Self

from rewardloop.interrupts import inherited_deafness
from rewardloop.loop.experiment import Experiment
from rewardloop.loop.online import learn_online

STOP_SECONDS = 2.0

_logger = logging.getLogger(__name__)


class Learner:
    """The child, from the loop's side. `tend` starts it again if it has died."""

    def __init__(self, experiment: str, data: Path) -> None:
        self._command = [sys.executable, "-P", "-m", "rewardloop.loop.learner", experiment, str(data)]
        self._process = self._spawn()

    def tend(self) -> None:
        if self._process.poll() is not None:
            _logger.error("the online learner died with code %s and is started again", self._process.returncode)
            self._process = self._spawn()

    def close(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        assert self._process.stdin is not None
        self._process.stdin.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _spawn(self) -> subprocess.Popen[bytes]:
        one_thread = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        with inherited_deafness():  # The loop decides.
            return subprocess.Popen(self._command, stdin=subprocess.PIPE, env={**os.environ, **one_thread})


def main(experiment: str, data: Path) -> None:
    """Learn until told to stop."""
    stop = Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    Thread(target=_await_the_end_of_the_loop, args=[stop], daemon=True).start()
    with Experiment.open(experiment, data) as opened:
        learn_online(opened.online(), stop)


def _await_the_end_of_the_loop(stop: Event) -> None:
    sys.stdin.buffer.read()
    stop.set()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
