"""Files that are whole or absent after a kill or a power cut, and the sentence when the disk refuses. All floors use these."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rewardloop.errors import StorageUnavailable

TEMPORARY = ".{}."
"""What the name of a file that is being written begins with; a kill may leave it, for the directory's owner to sweep."""


@contextmanager
def storage(path: Path) -> Iterator[None]:
    """Turns an OSError into `StorageUnavailable` naming the path."""
    try:
        yield
    except OSError as error:
        raise StorageUnavailable(f"Cannot use {path}: {error.strerror or error}; nothing was changed") from error


def sync(path: Path) -> None:
    """Brings a file's bytes, or a directory's names, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace_file(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Puts new bytes in the place of a file: a reader sees the old or the new ones, and a new modification time.

    `durable`: on the disk when this returns. Otherwise it survives a kill, and a power cut may leave a file that is empty.

    The time always grows, though two writes may fall into one tick of the clock and an inode be used again: watchers that
    compare it miss nothing.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{TEMPORARY.format(path.name)}{os.getpid()}-{threading.get_ident()}")
    temporary.write_bytes(data)
    if durable:
        sync(temporary)
    with suppress(FileNotFoundError):
        before = path.stat().st_mtime_ns
        if temporary.stat().st_mtime_ns <= before:
            os.utime(temporary, ns=(before + 1, before + 1))
    temporary.replace(path)
    if durable:
        sync(path.parent)


def sweep(path: Path, before: int) -> None:
    """Removes what writers of `path` that were killed before an instant (microseconds UTC) left beside it."""
    for left in path.parent.glob(TEMPORARY.format(path.name) + "*"):
        with suppress(FileNotFoundError):
            if left.stat().st_mtime_ns < before * 1000:
                left.unlink()
