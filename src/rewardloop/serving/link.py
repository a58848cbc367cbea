"""What supervisor and worker say to each other. Light: the supervisor needs nothing of what a worker imports."""

from __future__ import annotations

import msgspec

READY = b"ready\n"
"""What a worker says when it listens; instead of it, a line that says why it cannot."""


class WorkerOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What the supervisor tells a worker, as JSON in its one argument."""

    data_directory: str
    host: str
    port: int
    worker: int
    counts_directory: str
    link: int
    """File descriptor of the worker's end of a socket pair."""
