"""A forked simulator's open files made its own. Linux only: it reads /proc."""

from __future__ import annotations

import os
from pathlib import Path

ERRORS = "eplusout.err"


def detach(weather: Path, directory: Path, errors: int) -> None:
    """After a fork, parent and child share the position in every open file: one that reads moves the other.

    So the weather file is opened anew at the same place, what EnergyPlus says of errors goes to `errors`, and what else it would
    write in its directory goes nowhere.
    """
    weather_file, outputs = str(weather.resolve()), f"{directory.resolve()}/"
    for entry in os.listdir("/proc/self/fd"):
        target = _target(entry)
        if target == weather_file:
            _reopen(int(entry), target)
        elif target.startswith(outputs):
            _redirect(int(entry), errors if target.endswith(f"/{ERRORS}") else None)


def _target(entry: str) -> str:
    try:
        return os.readlink(f"/proc/self/fd/{entry}")
    except OSError:
        return ""


def _reopen(fd: int, path: str) -> None:
    """By path, for a descriptor opened through /proc would work but a duplicate would share the position again."""
    position = os.lseek(fd, 0, os.SEEK_CUR)
    fresh = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    os.lseek(fresh, position, os.SEEK_SET)
    os.dup2(fresh, fd, inheritable=False)
    os.close(fresh)


def _redirect(fd: int, to: int | None) -> None:
    target = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC) if to is None else os.dup(to)
    os.dup2(target, fd, inheritable=False)
    os.close(target)
