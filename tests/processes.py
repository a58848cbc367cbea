"""Processes that a test starts, watches and ends; and the one way to wait for what they do.

A wait ends as soon as what it waits for holds, so its limit costs nothing: it is long enough for a machine that is busy with
other work.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

PATIENCE_S = 180.0


@contextmanager
def started(*arguments: str, cwd: Path, out: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`rewardloop …`, writing to `out`."""
    command = [sys.executable, "-P", "-m", "rewardloop", *arguments]
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
    """Ids of the living children of a process; none of one that is gone."""
    try:
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [int(child) for child in found if alive(int(child))]


def killed(*pids: int) -> None:
    """Kills processes, of which some may have gone by themselves as soon as one of the others had."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@contextmanager
def kept_port() -> Iterator[int]:
    """A port of 127.0.0.1 at which nobody answers until the test starts somebody there, and that nobody else is given meanwhile.

    It is bound here and never listened at. That keeps the kernel from handing it out; who asks for it by its number and allows
    an address to be used again, as servers do, gets it.
    """
    with socket.socket() as keeper:
        keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        keeper.bind(("127.0.0.1", 0))
        yield int(keeper.getsockname()[1])


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
