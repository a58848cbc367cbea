"""A file that a command begins with: written where there is none, and never over another."""

from __future__ import annotations

from pathlib import Path

from rewardloop.errors import Conflict, StorageUnavailable


def write_new(path: Path, text: str) -> None:
    """Raises `Conflict` where there is a file, `StorageUnavailable`."""
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise Conflict(f"Expected a new file, found `{path}`; remove it, or choose another with --out") from None
    except OSError as error:
        raise StorageUnavailable(f"Cannot write `{path}`: {error.strerror}") from None
