"""Who writes: a writer holds an exclusive `flock` on its lock file, which the kernel drops when the process dies, however it dies.

Not for network file systems whose `flock` is a local affair.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from rewardloop.errors import DirectoryInUse, StorageUnavailable
from rewardloop.log.segment import LOCK


class WriterLock:
    """Held from `acquire` to `release`. `remove=True` also says that nothing is left to do for this writer."""

    def __init__(self, path: Path, handle: int) -> None:
        self._path = path
        self._handle = handle

    @classmethod
    def acquire(cls, directory: Path, writer: str) -> WriterLock:
        """Raises `DirectoryInUse` while another holds it, `StorageUnavailable` where the file cannot be made."""
        path = directory / f"{writer}{LOCK}"
        try:
            while (handle := _try_lock(path)) is not None:
                if _still_named(path, handle):
                    return cls(path, handle)
                os.close(handle)
        except OSError as error:
            raise StorageUnavailable(
                f"Cannot make the lock file `{path}`: {error.strerror}; make the directory writable, or choose another"
            ) from error
        raise DirectoryInUse(
            f"The log's writer `{writer}` is in use by another process (it holds `{path}`); each needs its own name"
        )

    def release(self, *, remove: bool) -> None:
        if remove:
            self._path.unlink(missing_ok=True)
        os.close(self._handle)


def _try_lock(path: Path) -> int | None:
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    except OSError:
        os.close(handle)
        raise
    return handle


def _still_named(path: Path, handle: int) -> bool:
    """Whether the file we locked is the one others will find: its last holder may have removed it in between."""
    try:
        named = os.stat(path)
    except FileNotFoundError:
        return False
    return os.path.samestat(named, os.fstat(handle))
