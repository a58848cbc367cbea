"""Messages over a WebSocket (RFC 6455), both ends: handshake, frames, limits. Blocking, no threads; what is said is not known
here.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import socket
import struct
from typing import Final

from rewardloop.clock import SECOND, Clock
from rewardloop.errors import SimulatorFailed

LOOK_S: Final = 0.2
"""How long the kernel is asked to wait before the clock, which alone says what is late, is looked at again."""
MAX_MESSAGE: Final = 8 << 20
_MAX_HEAD: Final = 8 << 10
_TEXT, _CLOSE, _PING, _PONG = 1, 8, 9, 10
_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Lost(SimulatorFailed):
    """The connection is of no use any more; says why."""

    code, title = "connection-lost", "Connection lost"


class Peer:
    """One end of a connection. `masks`: this is the client's end, whose frames are masked, and the other's are not."""

    def __init__(self, sock: socket.socket, clock: Clock, *, masks: bool, rest: bytes = b"") -> None:
        self._sock, self._clock, self._masks = sock, clock, masks
        self._buffer = bytearray(rest)
        self._until = 0

    def send(self, message: bytes, timeout_s: float) -> None:
        self._sock.settimeout(timeout_s)
        try:
            self._sock.sendall(self._frame(_TEXT, message))
        except OSError as error:
            raise Lost(f"the connection broke: {error}") from None

    def receive(self, timeout_s: float) -> bytes:
        """The next text. Raises `Lost` when it is not whole in time, is too long, or the other end breaks the rules or leaves."""
        self._until = self._clock.now() + round(timeout_s * SECOND)
        message = bytearray()
        while True:
            final, opcode, payload = self._next_frame(MAX_MESSAGE - len(message))
            if opcode == _PING:
                self.pong(payload)
            elif opcode == _CLOSE:
                raise Lost(f"it closed the connection{': ' + payload[2:].decode(errors='replace') if payload[2:] else ''}")
            elif opcode != _PONG:
                if opcode != (0 if message else _TEXT):
                    raise Lost(f"expected a text frame, got one of type {opcode}")
                message += payload
                if final:
                    return bytes(message)
                if not message:
                    raise Lost("expected a message that begins with something")

    def pong(self, payload: bytes) -> None:
        try:
            self._sock.sendall(self._frame(_PONG, payload))
        except OSError as error:
            raise Lost(f"the connection broke: {error}") from None

    def close(self, reason: str = "", code: int = 1000) -> None:
        """Says so, as far as that is possible, and hangs up."""
        try:
            self._sock.settimeout(1.0)
            self._sock.sendall(self._frame(_CLOSE, struct.pack("!H", code) + reason.encode()[:120]))
            self._sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._sock.close()

    def _frame(self, opcode: int, payload: bytes) -> bytes:
        n, bit = len(payload), 0x80 if self._masks else 0
        head = bytes([0x80 | opcode])
        if n < 126:
            head += bytes([bit | n])
        elif n < 1 << 16:
            head += bytes([bit | 126]) + struct.pack("!H", n)
        else:
            head += bytes([bit | 127]) + struct.pack("!Q", n)
        if not self._masks:
            return head + payload
        mask = secrets.token_bytes(4)
        return head + mask + _masked(payload, mask)

    def _next_frame(self, most: int) -> tuple[bool, int, bytes]:
        first, second = self._take(2)
        final, opcode, masked, n = bool(first & 0x80), first & 0x0F, bool(second & 0x80), second & 0x7F
        if first & 0x70 or masked == self._masks or opcode not in (0, 1, 2, 8, 9, 10):
            raise Lost("expected a WebSocket frame, got something else")
        if opcode >= _CLOSE and (n > 125 or not final):
            raise Lost("expected a control frame of at most 125 bytes")
        if n == 126:
            n = int.from_bytes(self._take(2))
        elif n == 127:
            n = int.from_bytes(self._take(8))
        if n > most:
            raise Lost(f"expected a message of at most {MAX_MESSAGE:,} bytes, got more")
        mask = self._take(4) if masked else b""
        payload = self._take(n)
        return final, opcode, _masked(payload, mask) if masked else payload

    def _take(self, n: int) -> bytes:
        while len(self._buffer) < n:
            self._buffer += read_some(self._sock, self._clock, self._until)
        taken = bytes(self._buffer[:n])
        del self._buffer[:n]
        return taken


def read_some(sock: socket.socket, clock: Clock, until: int) -> bytes:
    """At least a byte before the instant. Raises `Lost`."""
    while (left := (until - clock.now()) / SECOND) > 0:
        try:
            sock.settimeout(min(left, LOOK_S))
            some = sock.recv(1 << 16)
        except TimeoutError:
            continue
        except OSError as error:
            raise Lost(f"the connection broke: {error}") from None
        if not some:
            raise Lost("the connection ended")
        return some
    raise Lost("it did not answer in time")


def welcome(sock: socket.socket, clock: Clock, timeout_s: float) -> tuple[Peer, dict[str, str]]:
    """The trainer's end of the handshake: the peer, and the headers of its request, names in lower case. Raises `Lost`."""
    head, rest = _head(sock, clock, timeout_s)
    start, headers = head[0], dict(_header(line) for line in head[1:])
    key = headers.get("sec-websocket-key", "")
    asked = start.startswith("GET ") and headers.get("upgrade", "").lower() == "websocket" and 0 < len(key) <= 64
    if not asked or headers.get("sec-websocket-version") != "13":
        _answer(sock, b"HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        raise Lost("it did not speak WebSocket, version 13")
    reply = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
    _answer(sock, reply + _accepting(key.encode()) + b"\r\n\r\n")
    return Peer(sock, clock, masks=False, rest=rest), headers


def greet(host: str, port: int, clock: Clock, timeout_s: float) -> Peer:
    """The simulator's end: connects and asks for a WebSocket. Raises `Lost`."""
    try:
        sock = socket.create_connection((host, port), timeout_s)
    except OSError as error:
        raise Lost(f"nobody answers at {host}:{port}: {error}") from None
    tuned(sock)
    key = base64.b64encode(secrets.token_bytes(16))
    request = f"GET / HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    try:
        _answer(sock, request.encode() + b"Sec-WebSocket-Key: " + key + b"\r\n\r\n")
        head, rest = _head(sock, clock, timeout_s)
        accepted = dict(_header(line) for line in head[1:]).get("sec-websocket-accept", "")
        if " 101 " not in head[0] or accepted.encode() != _accepting(key):
            raise Lost(f"expected a trainer at {host}:{port}, got `{head[0][:80]}`")
    except BaseException:
        sock.close()
        raise
    return Peer(sock, clock, masks=True, rest=rest)


def tuned(sock: socket.socket) -> None:
    """Small messages leave at once, and a machine that vanishes is noticed within about two minutes."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4)):
        if hasattr(socket, name):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def _head(sock: socket.socket, clock: Clock, timeout_s: float) -> tuple[list[str], bytes]:
    until, seen = clock.now() + round(timeout_s * SECOND), bytearray()
    while b"\r\n\r\n" not in seen:
        seen += read_some(sock, clock, until)
        if len(seen) > _MAX_HEAD:
            raise Lost("its request is too long")
    head, _, rest = bytes(seen).partition(b"\r\n\r\n")
    return head.decode("latin-1").split("\r\n"), rest


def _header(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.strip().lower(), value.strip()


def _answer(sock: socket.socket, text: bytes) -> None:
    try:
        sock.sendall(text)
    except OSError as error:
        raise Lost(f"the connection broke: {error}") from None


def _accepting(key: bytes) -> bytes:
    return base64.b64encode(hashlib.sha1(key + _GUID, usedforsecurity=False).digest())


def _masked(payload: bytes, mask: bytes) -> bytes:
    """
    >>> _masked(_masked(b"hello", b"abcd"), b"abcd")
    b'hello'
    """
    n = len(payload)
    pad = (mask * (n // 4 + 1))[:n]
    return (int.from_bytes(payload) ^ int.from_bytes(pad)).to_bytes(n)
