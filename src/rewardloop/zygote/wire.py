"""What goes between a trainer and its simulators: whole messages over a Unix socket, with descriptors along.

A reading and a command are packed doubles. Anything else is told apart by its length, which is no multiple of 8: a simulator
says hello with its process id, or what ended it; a trainer asks for a clone. Linux only, as is everything that forks here.
"""

from __future__ import annotations

import json
import os
import socket
import struct
from dataclasses import asdict, dataclass

LARGEST = 1 << 16
CLONE = b"{clone"
"""Six bytes cannot be a row of doubles; the new ends follow in the next message."""

ENDED = b"{ended"


@dataclass(frozen=True)
class Start:
    """Asks for an episode: from this day of the year on, with this weather file."""

    weather: str
    day: int


@dataclass(frozen=True)
class Ended:
    """Why there will be no further reading. `kind`: variables, meters, actuators (not resolved) · fatal · failed."""

    kind: str
    text: str = ""
    index: int = 0
    near: tuple[str, ...] = ()


def pair() -> tuple[socket.socket, socket.socket]:
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def send_fds(to: socket.socket, message: bytes, *fds: int) -> None:
    socket.send_fds(to, [message], list(fds))


def receive_fds(sock: socket.socket) -> tuple[bytes, list[int]]:
    """A message and the descriptors it brought; empty when the other end is gone."""
    message, fds, _, _ = socket.recv_fds(sock, LARGEST, 4)
    for fd in fds:
        os.set_inheritable(fd, False)
    return message, list(fds)


def pack_ended(ended: Ended) -> bytes:
    message = ENDED + json.dumps({**asdict(ended), "text": ended.text[-8000:]}).encode()
    return message if len(message) % 8 else message + b" "


def unpack_ended(message: bytes) -> Ended:
    """
    >>> unpack_ended(pack_ended(Ended("fatal", "Severe: …")))
    Ended(kind='fatal', text='Severe: …', index=0, near=())
    """
    raw = json.loads(message[len(ENDED) :])
    return Ended(raw["kind"], raw["text"], raw["index"], tuple(raw["near"]))


def limit_waiting(sock: socket.socket, seconds: float) -> None:
    """A receive that waits longer raises BlockingIOError; by the kernel, so that a step pays no further call for it."""
    whole = int(seconds)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", whole, int((seconds - whole) * 1e6)))
