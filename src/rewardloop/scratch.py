"""Working files that outlive nobody: a directory each, held by whoever made it, gone at its end, or, where that was a kill, when
the next one is made.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_ATTEMPTS = 100


class Scratch:
    """A fresh directory in the system's place for such things. A context manager, which gives its path.

    It is held by `descriptor`, so by every process that inherits it: nobody sweeps it before the last of them has ended.

    >>> with Scratch() as place:
    ...     _ = (place / "weights").write_bytes(b"1")
    >>> place.exists()
    False
    """

    def __init__(self) -> None:
        parent = Path(tempfile.gettempdir()) / f"rewardloop-{os.getuid()}"
        for _ in range(_ATTEMPTS):
            with suppress(FileNotFoundError), _held(parent):  # Somebody may just be removing it, as the last one to leave.
                sweep(parent)
                self.path = Path(tempfile.mkdtemp(dir=parent))
                self.descriptor = os.open(self.path, os.O_RDONLY)
                fcntl.flock(self.descriptor, fcntl.LOCK_EX)
                return
        raise FileNotFoundError(f"{parent} is removed again and again")

    def close(self) -> None:
        """Removes it, and the place of all such directories with the last of them. Twice is as good as once."""
        shutil.rmtree(self.path, ignore_errors=True)
        self.let_go()
        with suppress(OSError), _held(self.path.parent, make=False):
            self.path.parent.rmdir()

    def let_go(self) -> None:
        """It belongs to the processes that have inherited it."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def __enter__(self) -> Path:
        return self.path

    def __exit__(self, *_: object) -> None:
        self.close()


def sweep(parent: Path) -> None:
    """Removes every directory that nobody holds any more."""
    for place in parent.iterdir():
        with suppress(OSError):
            descriptor = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(place, ignore_errors=True)
            finally:
                os.close(descriptor)


@contextmanager
def _held(directory: Path, *, make: bool = True) -> Iterator[None]:
    """Alone with the directory; raises `FileNotFoundError` where it was removed meanwhile."""
    if make:
        with suppress(FileExistsError):
            os.mkdir(directory, 0o700)  # Not Path's, which looks again at what exists and may find it gone.
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        if os.fstat(descriptor).st_uid != os.getuid():
            raise PermissionError(f"Expected {directory} to be this user's own: somebody else made it")
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if not os.path.samestat(os.fstat(descriptor), directory.stat()):
            raise FileNotFoundError(f"{directory} was removed and made again")
        yield
    finally:
        os.close(descriptor)
