"""Directories on their way in and out of a store: staged until they are renamed into place, out of sight before they are removed.

A stage is locked by the process that fills it. The kernel takes the lock back when that dies, so what nobody holds is swept.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from rewardloop.durable import storage

_STAGE = ".stage-"
_TRASH = ".trash-"


class Staging:
    """At most one stage at a time, and any number of removals, in one directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._staged: tuple[Path, int] | None = None

    def new(self) -> Path:
        """A new empty directory. Gives up the former."""
        self.discard()
        with storage(self._directory):
            self._directory.mkdir(parents=True, exist_ok=True)
            self.sweep()
            while self._staged is None:
                path = Path(tempfile.mkdtemp(prefix=_STAGE, dir=self._directory))
                descriptor = _lock(path)
                if descriptor is not None:  # otherwise another process swept it in the instant before it was locked
                    self._staged = path, descriptor
        return self._staged[0]

    def discard(self) -> None:
        """Removes the stage, if there is one."""
        if self._staged is not None:
            shutil.rmtree(self._staged[0], ignore_errors=True)
            self.release(self._staged[0])

    def release(self, stage: Path) -> None:
        """Lets go of a stage that stands elsewhere now."""
        if self._staged is not None and self._staged[0] == stage:
            os.close(self._staged[1])
            self._staged = None

    def throw_away(self, path: Path) -> None:
        """Out of sight by one rename; what a kill leaves of the rest is swept later."""
        trash = self._directory / f"{_TRASH}{os.getpid()}-{path.name}"
        shutil.rmtree(trash, ignore_errors=True)
        path.rename(trash)
        shutil.rmtree(trash, ignore_errors=True)

    def sweep(self) -> None:
        """Removes what processes left that were killed."""
        for path in self._hidden():
            if path.name.startswith(_TRASH):
                shutil.rmtree(path, ignore_errors=True)
            elif path.name.startswith(_STAGE) and (descriptor := _lock(path)) is not None:
                shutil.rmtree(path, ignore_errors=True)
                os.close(descriptor)

    def _hidden(self) -> list[Path]:
        with suppress(FileNotFoundError):
            return [path for path in self._directory.iterdir() if path.name.startswith(".")]
        return []


def _lock(directory: Path) -> int | None:
    """Locks a directory for as long as the process lives; None if another has it or it is gone."""
    try:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        return None
    with suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if directory.stat().st_ino == os.fstat(descriptor).st_ino:
            return descriptor
    os.close(descriptor)
    return None
