"""Exactly one: a lock on a file that the kernel takes back when its holder dies, however it dies."""

from __future__ import annotations

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from rewardloop.clock import isoformat
from rewardloop.durable import storage
from rewardloop.errors import Conflict, DirectoryInUse


class Lease:
    """Held by one process at a time: `with Lease(path): …`, or raises `DirectoryInUse` naming the holder.

    A child that was forked (not spawned) meanwhile holds it too, until it ends: its files may still be written.
    """

    def __init__(self, path: Path, instead: str = "stop that first, or use another data directory") -> None:
        self.path = path
        self._instead = instead
        """What somebody else may do while it is held, for the refusal."""
        self._descriptor: int | None = None

    def __enter__(self) -> Self:
        if self._descriptor is not None:
            raise Conflict(f"This lease on {self.path} is held already")
        with storage(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            raise DirectoryInUse(self._refusal()) from None
        self._descriptor = descriptor
        _sign(descriptor)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        # Closing, not unlocking: a forked child that leaves this block must not take the lease from its parent.
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _refusal(self) -> str:
        holder = "another process"
        with suppress(OSError, ValueError, TypeError, KeyError):
            signed = json.loads(self.path.read_bytes()[:1024])
            since = isoformat(self.path.stat().st_mtime_ns // 1000)
            holder = f"process {int(signed['pid'])} on {ascii(signed['host'])[1:-1]} since {since}"
        return f"{self.path.parent} is in use by {holder} (lock {self.path.name}): {self._instead}"


@contextmanager
def waiting(path: Path) -> Iterator[None]:
    """The same lock, but waits its turn. For moments, such as making a file."""
    with storage(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _sign(descriptor: int) -> None:
    """Who holds it, for the message of the next one. A full disk may leave it unsaid."""
    with suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps({"pid": os.getpid(), "host": socket.gethostname()}).encode(), 0)
