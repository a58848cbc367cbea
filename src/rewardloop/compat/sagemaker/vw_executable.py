"""`vw`, for scripts that expect it on the PATH: the wheel has the whole driver, and no executable.

`python -m vowpalwabbit ARGUMENTS` is that driver, but for one thing: it does not read standard input. It reads `/dev/stdin`, so
that is what it is given wherever `vw` would read standard input. Arguments, files, output and exit code are the driver's own.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

_NEEDS_NO_DATA = {"--version", "--help", "-h", "--daemon", "--no_stdin"}
_TAKES_A_FILE = {
    "-i", "--initial_regressor", "-f", "--final_regressor", "-p", "--predictions", "-r", "--raw_predictions", "--cache_file",
    "--readable_model", "--invert_hash", "--feature_mask", "--dictionary", "--dictionary_path", "--extra_metrics",
}  # fmt: skip


def driver_arguments(arguments: Sequence[str]) -> list[str]:
    """What the driver is called with: data after `-d`, which is standard input where none is named.

    >>> driver_arguments(["--cb_explore", "3"]), driver_arguments(["-d", "train.dat"])
    (['--cb_explore', '3', '-d', '/dev/stdin'], ['-d', 'train.dat'])
    """
    if any(word in _NEEDS_NO_DATA or word.startswith(("-d", "--data")) for word in arguments):
        return list(arguments)
    bare = _bare_file(arguments)
    if bare is None:
        return [*arguments, "-d", "/dev/stdin"]
    return [*arguments[:bare], "-d", *arguments[bare:]]


def install(directory: Path) -> Path:
    """Puts an executable `vw` into a directory, which then belongs on the PATH."""
    command = f"{shlex.quote(sys.executable)} -m {__name__}"
    executable = directory / "vw"
    executable.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
    executable.chmod(0o755)
    return executable


def _bare_file(arguments: Sequence[str]) -> int | None:
    """Where a file stands that is no option's value: vw takes it for the data, the wheel's driver opens it and learns nothing."""
    for i, (last, word) in enumerate(zip(("", *arguments), arguments, strict=False)):
        if not word.startswith("-") and last not in _TAKES_A_FILE and Path(word).is_file():
            return i
    return None


if __name__ == "__main__":
    os.execv(sys.executable, [sys.executable, "-P", "-m", "vowpalwabbit", *driver_arguments(sys.argv[1:])])
