"""Ray, for as long as a training takes: a private one on this machine, or a visit to a cluster. Nothing of it stays behind.

Ray is started nowhere else. Its token authentication stays as it is, which is on.
"""

from __future__ import annotations

import logging
import os
import shutil
import socket
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import ray

from rewardloop.errors import InvalidInput

_PREFIX: Final = "rewardloop-ray-"
_KNOCK_S: Final = 5.0
_LONGEST: Final = 24
"""Characters of a folder in which Ray's sockets still have names short enough for the kernel."""


@contextmanager
def running(address: str, n_cpus: int) -> Iterator[None]:
    """Ray is there within the block. `address` empty: a Ray of this process alone, without a dashboard, gone after the block.

    Raises `InvalidInput` where no cluster answers at the address.
    """
    with quietly():
        if ray.is_initialized():
            yield
            return
        root = Path(tempfile.gettempdir())
        root = root if len(str(root)) <= _LONGEST else Path("/tmp")
        clear_leftovers(root)
        session = root / f"{_PREFIX}{os.getpid()}"
        try:
            _start(address, n_cpus, session)
            yield
        finally:
            ray.shutdown()
            shutil.rmtree(session, ignore_errors=True)


@contextmanager
def quietly() -> Iterator[None]:
    """Without Ray's warnings about its own future and its advice on what else might be installed."""
    logger = logging.getLogger("ray")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def clear_leftovers(directory: Path) -> None:
    """Removes the sessions of processes that were killed; those of living ones stay."""
    for session in directory.glob(f"{_PREFIX}*"):
        owner = session.name.removeprefix(_PREFIX)
        if owner.isdigit() and not Path(f"/proc/{owner}").exists():
            shutil.rmtree(session, ignore_errors=True)


def _start(address: str, n_cpus: int, session: Path) -> None:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # Ray would tell its makers that it runs.
    quiet = {"logging_level": logging.CRITICAL, "log_to_driver": False, "configure_logging": False}
    if not address:
        ray.init(
            address="local",
            num_cpus=n_cpus,
            include_dashboard=False,
            _temp_dir=str(session),
            _node_ip_address="127.0.0.1",  # nobody else is meant to find it
            **quiet,
        )
        return
    try:
        _knock(address)
        ray.init(address=address, **quiet)
    except (OSError, ValueError, RuntimeError) as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        hint = "expected `auto` on a node of a cluster that runs, and its token where Ray looks for it"
        raise InvalidInput(f"No Ray cluster answers at `{address}` ({first}); {hint}", at="--ray") from None


def _knock(address: str) -> None:
    """Ray itself waits for minutes where nobody is at home."""
    host, _, port = address.rpartition(":")
    if port.isdigit() and "/" not in host:
        socket.create_connection((host, int(port)), _KNOCK_S).close()
