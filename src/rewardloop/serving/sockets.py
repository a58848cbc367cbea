"""One port for all workers (SO_REUSEPORT): the kernel spreads connections over those who listen."""

from __future__ import annotations

import errno
import ipaddress
import os
import socket

from rewardloop.errors import Conflict, InvalidInput

BACKLOG = 2_048


def is_loopback(bound: socket.socket) -> bool:
    """Whether only this machine reaches what listens there."""
    address = ipaddress.ip_address(bound.getsockname()[0].partition("%")[0])
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


def reserve(host: str, port: int) -> socket.socket:
    """A bound socket that never listens: it holds the port for the workers, and says which one it is if `port` was 0.

    Raises `Conflict` where somebody else listens there, `InvalidInput` for a host that is not this machine's.
    """
    if port:
        with _socket(host, port) as probe:
            _bind(probe, host, port)
            _try_listen(probe, host, port)
    reserved = _socket(host, port)
    reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    _bind(reserved, host, port)
    return reserved


def listen(host: str, port: int) -> socket.socket:
    """A worker's own socket on the reserved port."""
    listener = _socket(host, port)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    _bind(listener, host, port)
    listener.listen(BACKLOG)
    listener.setblocking(False)
    return listener


def _socket(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
    except OSError as error:
        raise InvalidInput(f"Expected a host name or address of this machine, got `{host}`: {error.strerror}") from None
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return made


def _bind(made: socket.socket, host: str, port: int) -> None:
    try:
        made.bind((host, port))
    except OSError as error:
        made.close()
        raise _refused(error, host, port) from None


def _try_listen(made: socket.socket, host: str, port: int) -> None:
    try:
        made.listen(1)
    except OSError as error:
        raise _refused(error, host, port) from None


def _refused(error: OSError, host: str, port: int) -> Conflict | InvalidInput:
    if error.errno == errno.EADDRINUSE:
        return Conflict(f"Port {port} of {host} is in use; choose another with --port, or stop what listens there")
    return InvalidInput(f"Cannot listen on {host}:{port}: {os.strerror(error.errno or 0)}")
