"""Processes that a test starts, watches and ends; and the one way to wait for what they do.

A wait ends as soon as what it waits for holds, so its limit costs nothing: it is long enough for a machine that is busy with
other work.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PATIENCE_S = 60.0


@contextmanager
def started(*arguments: str, cwd: Path, out: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`python -m rewardloop …`, writing to `out`."""
    command = [sys.executable, "-m", "rewardloop", *arguments]
    with out.open("wb") as file, subprocess.Popen(command, cwd=cwd, stdout=file, stderr=file) as process:
        try:
            yield process
        finally:
            process.terminate()
            ended(process)


def ended(process: subprocess.Popen[Any]) -> None:
    """Waits for a process that was told to end; one that does not is killed."""
    try:
        process.wait(PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()


def eventually(holds: Callable[[], bool], seconds: float = PATIENCE_S) -> bool:
    """Whether it holds before the time is up."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.01)
    return holds()


def until(holds: Callable[[], bool]) -> None:
    """Waits for what must come."""
    assert eventually(holds), "it did not happen in time"


def alive(pid: int) -> bool:
    """Whether a process lives; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def children(pid: int) -> list[int]:
    """Ids of the living children of a process."""
    found = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in found.read_text().split() if alive(int(child))] if found.exists() else []


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
