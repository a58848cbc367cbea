"""The folders of checkpoints: written aside and renamed, so that each is whole or absent; the newest few are kept."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from rewardloop.durable import sync
from rewardloop.errors import NotFound

KEPT: Final = 2
_STAGE: Final = ".stage"


@contextmanager
def new_checkpoint(directory: Path, n_steps: int) -> Iterator[Path]:
    """An empty folder to fill; it becomes `directory/STEP` when the block ends well. Older ones but the last are removed."""
    directory.mkdir(parents=True, exist_ok=True)
    stage = directory / _STAGE
    shutil.rmtree(stage, ignore_errors=True)
    stage.mkdir()
    yield stage
    for path in (*stage.iterdir(), stage):
        sync(path)
    target = directory / f"{n_steps:012d}"
    shutil.rmtree(target, ignore_errors=True)
    stage.rename(target)
    sync(directory)
    for old in checkpoints(directory)[:-KEPT]:
        shutil.rmtree(old, ignore_errors=True)


def checkpoints(directory: Path) -> list[Path]:
    """Every whole checkpoint, oldest first."""
    if not directory.is_dir():
        return []
    return sorted(path for path in directory.iterdir() if path.name.isdigit())


def newest_checkpoint(directory: Path) -> Path:
    """Raises `NotFound` where there is none."""
    found = checkpoints(directory)
    if not found:
        raise NotFound(f"Expected a checkpoint in {directory}, found none; train from the beginning")
    return found[-1]
