"""Commands in processes of their own, ended with the test."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

SECONDS = 60.0


@contextmanager
def started(*arguments: str, cwd: Path, out: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`python -m rewardloop …`, writing to `out`."""
    command = [sys.executable, "-m", "rewardloop", *arguments]
    with out.open("wb") as file, subprocess.Popen(command, cwd=cwd, stdout=file, stderr=file) as process:
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def until(condition: Callable[[], bool]) -> None:
    """Waits for what must come."""
    for _ in range(int(SECONDS / 0.05)):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("it did not happen in time")


def says(file: Path, text: str) -> Callable[[], bool]:
    """Whether a process has written a text."""
    return lambda: text in file.read_text(errors="replace")


def mentioning(text: str) -> list[int]:
    """Ids of the living processes with a text in their command line."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if text.encode() in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return found
