"""Between a server and the processes that work for it: what they do, and all that they load for it, is none of the server's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from threading import Thread
from typing import Literal

import msgspec

from rewardloop.compat.personalizer.jobs import Kind

Work = Literal["export", "export-signed", "import", "reset", "delete-logs"]
"""What `model_work` does."""
REFUSED = 3
"""Its exit code where it says why not."""


class Refusal(msgspec.Struct, frozen=True):
    """An error, as one process tells it to another."""

    message: str
    code: str
    status: int


def start(data: Path, experiment: str, kind: Kind, job_id: str) -> None:
    """In a process that outlives this one. Returns at once."""
    command = [sys.executable, "-P", "-m", "rewardloop.compat.personalizer.job", os.fspath(data), experiment, kind, job_id]
    Thread(target=_wait, args=(command,), daemon=True).start()


def _wait(command: list[str]) -> None:
    """So that no zombie is left."""
    subprocess.run(command, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True)
