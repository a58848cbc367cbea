"""What is said when a segment cannot be written, cannot be read, or does not hold what it should."""

from __future__ import annotations

import errno
from pathlib import Path

from rewardloop.errors import CorruptSegment, StorageUnavailable

_FULL = {errno.ENOSPC, errno.EDQUOT}


def is_full(error: OSError) -> bool:
    """Whether there was no space, which a segment survives as it stands; after anything else it is better left alone."""
    return error.errno in _FULL


def write_error(error: OSError, path: Path) -> StorageUnavailable:
    """What a failed write means for the caller."""
    if is_full(error):
        return StorageUnavailable(f"No space left for the log at `{path}`; nothing was acknowledged; free some and try again")
    return StorageUnavailable(
        f"Cannot write the log at `{path}`: {error.strerror or error}; nothing was acknowledged;"
        " check that the directory exists, is writable, and that its disk has space and is healthy"
    )


def read_error(error: OSError, path: Path) -> StorageUnavailable:
    """A file that cannot be reached just now; a damaged one is `corrupt`."""
    return StorageUnavailable(
        f"Cannot read the log at `{path}`: {error.strerror or error}; check permissions, open files and the disk"
    )


def corrupt(path: Path, found: str) -> CorruptSegment:
    return CorruptSegment(
        f"Expected a whole log segment, got {found} in `{path}`;"
        f" `rewardloop salvage {path}` puts it aside and keeps the records that can still be read"
    )
