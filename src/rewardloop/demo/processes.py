"""The real server and the real loop as child processes of the demonstration, ended with it."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2

from rewardloop.errors import Conflict

READY_SECONDS = 30.0
POLL_SECONDS = 0.05
STOP_SECONDS = 5.0


@contextmanager
def serving(config: Path, data: Path, log: Path) -> Iterator[str]:
    """`rewardloop serve` on a free port; yields its URL once it is ready."""
    port = _free_port()
    command = ["serve", str(config), "--data", str(data), "--port", str(port), "--workers", "1"]
    with _process(command, log) as process:
        url = f"http://127.0.0.1:{port}"
        _wait_until_ready(url, process, log)
        yield url


@contextmanager
def looping(config: Path, data: Path, log: Path) -> Iterator[None]:
    """`rewardloop run`, its cycles written to the log as JSON lines."""
    with _process(["run", str(config), "--data", str(data), "--json"], log):
        yield


@contextmanager
def _process(arguments: list[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "rewardloop", *arguments]
    with log.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(int(READY_SECONDS / POLL_SECONDS)):
        if process.poll() is not None:
            raise Conflict(f"Expected the server to start, it ended with code {process.returncode}: {_last_line(log)}")
        try:
            if httpx2.get(f"{url}/readyz").is_success:
                return
        except httpx2.TransportError:
            pass
        time.sleep(POLL_SECONDS)
    raise Conflict(f"Expected the server to be ready within {READY_SECONDS:g} s: {_last_line(log)}")


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else f"it wrote nothing to {log}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
