"""The real server and the real loop as child processes of the demonstration, ended with it however it ends."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rewardloop.errors import RewardloopError

READY_SECONDS = 60.0
POLL_SECONDS = 0.05
STOP_SECONDS = 5.0
_URL = re.compile(r"http://127\.0\.0\.1:\d+")


class ChildFailed(RewardloopError):
    """A process of the demonstration ended by itself, or never became ready."""

    code, title = "child-failed", "Demonstration failed"


@dataclass(frozen=True, slots=True)
class Child:
    """A process of ours, and the file that it writes to."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def check(self) -> None:
        """Raises `ChildFailed`, with the last line of its log, if the process has ended."""
        code = self.process.poll()
        if code is not None:
            how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
            raise ChildFailed(f"The {self.name} {how}: {self._last_line()} (all of it: {self.log})")

    def done(self) -> bool:
        """Whether it has ended well. Raises `ChildFailed` if it has ended otherwise."""
        if self.process.poll() == 0:
            return True
        self.check()
        return False

    def url(self) -> str:
        """Where it serves, once it says so. Raises `ChildFailed`."""
        for _ in range(int(READY_SECONDS / POLL_SECONDS)):
            said = _URL.search(self.log.read_text(errors="replace"))
            if said:
                return said.group()
            self.check()
            time.sleep(POLL_SECONDS)
        raise ChildFailed(f"The {self.name} was not ready within {READY_SECONDS:g} s: {self._last_line()} (all of it: {self.log})")

    def _last_line(self) -> str:
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it wrote nothing"


@contextmanager
def serving(config: Path | None, data: Path, log: Path) -> Iterator[Child]:
    """`rewardloop serve` on a free port; without a file it serves what the data directory has."""
    files = [] if config is None else [str(config)]
    with _child("server", ["serve", *files, "--data", str(data), "--port", "0"], log) as child:
        yield child


@contextmanager
def looping(config: Path, data: Path, log: Path) -> Iterator[Child]:
    """`rewardloop run`, its cycles written to the log as JSON lines."""
    with _child("loop", ["run", str(config), "--data", str(data), "--json"], log) as child:
        yield child


@contextmanager
def training(name: str, arguments: list[str], log: Path) -> Iterator[Child]:
    """`rewardloop rl train`."""
    with _child(name, ["rl", "train", *arguments], log) as child:
        yield child


@contextmanager
def _child(name: str, arguments: list[str], log: Path) -> Iterator[Child]:
    command = [sys.executable, "-P", "-m", "rewardloop", *arguments]
    with log.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL) as process:
        try:
            yield Child(name, process, log)
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Asks, waits, insists; insists at once when interrupted once more."""
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
    except BaseException:
        process.kill()
        raise
