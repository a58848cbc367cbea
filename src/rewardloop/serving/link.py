"""What supervisor and worker say to each other. Light: the supervisor needs nothing of what a worker imports."""

from __future__ import annotations

import msgspec

READY = b"ready\n"
"""What a worker says when it listens; instead of it, a line that says why it cannot."""


class Protection(msgspec.Struct, frozen=True, kw_only=True):
    """Who is let in, and how: the options of `serve` that are about strangers."""

    insecure: bool = False
    """No keys are asked for, though there may be some; any address may be bound."""
    tls_certificate: str = ""
    """A PEM file; empty: plain HTTP."""
    tls_key: str = ""
    cors_origins: tuple[str, ...] = ()
    rate_limit: float = 0.0
    """Requests a second of each key or address, in each worker; 0: any number."""


class WorkerOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What the supervisor tells a worker, as JSON in its one argument."""

    data_directory: str
    host: str
    port: int
    worker: int
    counts_directory: str
    link: int
    """File descriptor of the worker's end of a socket pair."""
    protection: Protection = Protection()
