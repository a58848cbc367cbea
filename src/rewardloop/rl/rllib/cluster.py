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
from ray._private import ray_constants
from ray._private.authentication.authentication_token_setup import maybe_enable_token_auth_if_token_available

from rewardloop.errors import InvalidInput

CLIENT: Final = "ray://"
_PREFIX: Final = "rewardloop-ray-"
_KNOCK_S: Final = 5.0
_TRIES: Final = 3
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
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # Ray would tell its makers that it runs.
        try:
            if address:
                _visit(address)
            else:
                _start(n_cpus, session)
            yield
        finally:
            ray.shutdown()
            shutil.rmtree(session, ignore_errors=True)


@contextmanager
def quietly() -> Iterator[None]:
    """Without Ray's warnings about its own future and its advice on what else might be installed."""
    loggers = [logging.getLogger(name) for name in ("ray", "ray.rllib")]  # Each has a level of its own.
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def clear_leftovers(directory: Path) -> None:
    """Removes the sessions of processes that were killed; those of living ones stay."""
    for session in directory.glob(f"{_PREFIX}*"):
        owner = session.name.removeprefix(_PREFIX)
        if owner.isdigit() and not Path(f"/proc/{owner}").exists():
            shutil.rmtree(session, ignore_errors=True)


def _start(n_cpus: int, session: Path) -> None:
    with _on_loopback():
        ray.init(
            address="local",
            num_cpus=n_cpus,
            include_dashboard=False,
            _temp_dir=str(session),
            _node_ip_address="127.0.0.1",
            logging_level=logging.CRITICAL,
            log_to_driver=False,
            configure_logging=False,
        )


@contextmanager
def _on_loopback() -> Iterator[None]:
    """What is started here listens on 127.0.0.1. Ray turns that into an address for others wherever it could be a cluster, which
    this setting, made for desktops, says it is not; without it every port of it is open to the network."""
    before = os.environ.get(ray_constants.ENABLE_RAY_CLUSTERS_ENV_VAR), ray_constants.ENABLE_RAY_CLUSTER
    os.environ[ray_constants.ENABLE_RAY_CLUSTERS_ENV_VAR] = "0"
    ray_constants.ENABLE_RAY_CLUSTER = False
    try:
        yield
    finally:
        ray_constants.ENABLE_RAY_CLUSTER = before[1]
        if before[0] is None:
            del os.environ[ray_constants.ENABLE_RAY_CLUSTERS_ENV_VAR]
        else:
            os.environ[ray_constants.ENABLE_RAY_CLUSTERS_ENV_VAR] = before[0]


def _visit(address: str) -> None:
    try:
        _knock(address)
        maybe_enable_token_auth_if_token_available(warn_if_disabled=False)  # Ray itself sends a token to `auto` alone.
        _connect(address)
    except (OSError, ValueError, RuntimeError) as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
        first = lines[-1] if lines[0].endswith(":") else lines[0]
        hint = "expected `auto`, HOST:PORT on a node of the cluster or ray://HOST:PORT, and its token where Ray looks for it"
        raise InvalidInput(f"No Ray cluster answers at `{address}` ({first}); {hint}", at="--ray") from None


def _connect(address: str) -> None:
    """A head starts a process for each client, and now and then that process dies at once (its fork meets gRPC's threads)."""
    for tries_left in range(_TRIES - 1, -1, -1):
        try:
            ray.init(address=address, logging_level=logging.CRITICAL, log_to_driver=False, configure_logging=False)
        except ConnectionAbortedError:
            if not tries_left or not address.startswith(CLIENT):
                raise
        else:
            return


def _knock(address: str) -> None:
    """Ray itself waits for minutes where nobody is at home."""
    host, _, port = address.removeprefix(CLIENT).rpartition(":")
    if port.isdigit() and "/" not in host:
        socket.create_connection((host, int(port)), _KNOCK_S).close()
