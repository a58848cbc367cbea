"""A forked simulator's open files made its own. Linux only: it reads /proc."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

ERRORS = "eplusout.err"


@dataclass(frozen=True)
class OpenFiles:
    """Descriptors by what they are of. They are looked for before a fork, so that no child has to."""

    weather: tuple[int, ...]
    errors: tuple[int, ...]
    outputs: tuple[int, ...]


def open_files(weather: Path, directory: Path) -> OpenFiles:
    """What this process has open of the weather file and in EnergyPlus's directory."""
    targets = {int(entry): _target(entry) for entry in os.listdir("/proc/self/fd")}
    weather_file, inside = str(weather.resolve()), f"{directory.resolve()}/"
    written = {fd: target for fd, target in targets.items() if target.startswith(inside)}
    errors = {fd for fd, target in written.items() if target.endswith(f"/{ERRORS}")}
    return OpenFiles(
        tuple(fd for fd, target in targets.items() if target == weather_file), tuple(errors), tuple(written.keys() - errors)
    )


def detach(files: OpenFiles, weather: Path, errors: int) -> None:
    """After a fork, parent and child share the position in every open file: one that reads moves the other.

    So the weather file is opened anew at the same place, what EnergyPlus says of errors goes to `errors`, and what else it would
    write in its directory goes nowhere.
    """
    for fd in files.weather:
        _reopen(fd, weather)
    for fd in files.errors:
        _redirect(fd, errors)
    if files.outputs:
        nowhere = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
        for fd in files.outputs:
            _redirect(fd, nowhere)
        os.close(nowhere)


def _target(entry: str) -> str:
    try:
        return os.readlink(f"/proc/self/fd/{entry}")
    except OSError:
        return ""


def _reopen(fd: int, path: Path) -> None:
    """By path, for a descriptor opened through /proc would work but a duplicate would share the position again."""
    position = os.lseek(fd, 0, os.SEEK_CUR)
    fresh = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    os.lseek(fresh, position, os.SEEK_SET)
    _redirect(fd, fresh)
    os.close(fresh)


def _redirect(fd: int, to: int) -> None:
    os.dup2(to, fd, inheritable=False)
