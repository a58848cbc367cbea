"""Where simulators keep their files while they run: one directory a zygote, locked while it lives, swept when it was killed."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import IO

LOCK = "lock"


def new_directory() -> tuple[Path, IO[bytes]]:
    """A fresh directory and its lock, which is held while the file is open. Removes those whose holders were killed."""
    parent = Path(tempfile.gettempdir()) / f"rewardloop-energyplus-{os.getuid()}"
    parent.mkdir(mode=0o700, exist_ok=True)
    with (parent / LOCK).open("wb") as making:
        fcntl.flock(making, fcntl.LOCK_EX)
        sweep(parent)
        place = Path(tempfile.mkdtemp(dir=parent))
        lock = (place / LOCK).open("wb")
        fcntl.flock(lock, fcntl.LOCK_EX)
    return place, lock


def sweep(parent: Path) -> None:
    """Removes every directory that nobody holds any more."""
    for place in filter(Path.is_dir, parent.iterdir()):
        with suppress(OSError), (place / LOCK).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(place, ignore_errors=True)
