"""Letting simulators in: an address, a token, the first message, and the spaces that must stay what they were."""

from __future__ import annotations

import contextlib
import hmac
import ipaddress
import socket
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from rewardloop.clock import SECOND, Clock
from rewardloop.errors import Conflict, InvalidInput, SimulatorHung
from rewardloop.simulators.remote.messages import PROTOCOL, FromSimulator, Hello, Refused, Welcome, from_simulator, written
from rewardloop.simulators.remote.spaces import Space, difference, understood
from rewardloop.simulators.remote.websocket import LOOK_S, Lost, Peer, tuned, welcome

_GREETING_S: Final = 5.0
_MAX_TOKEN: Final = 1000


class Address(NamedTuple):
    host: str
    port: int

    @property
    def is_local(self) -> bool:
        return _is_local(self.host)


class Told(NamedTuple):
    """What the first simulator said it is; the others must say the same."""

    hello: Hello
    observation_space: Space
    action_space: Space


class Refusal(Exception):
    """A simulator that is not let in: `code` is for programs."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)


class Link:
    """A simulator that was let in."""

    def __init__(self, peer: Peer, told: Told) -> None:
        self.peer = peer
        self.told = told

    def send(self, message: bytes, timeout_s: float) -> None:
        self.peer.send(message, timeout_s)

    def receive(self, timeout_s: float) -> FromSimulator:
        return from_simulator(self.peer.receive(timeout_s))


class Listener:
    """Listens only while a simulator is wanted, so that those who are not needed here find others at the same port."""

    def __init__(self, address: Address, token: str, clock: Clock) -> None:
        self._address, self._token, self._clock = address, token, clock
        self._refused = ""

    def next(self, timeout_s: float, known: Told | None) -> Link:
        """A simulator, the same as `known` where there was one. Raises `SimulatorHung` when none comes in time."""
        until = self._clock.now() + round(timeout_s * SECOND)
        with _listening(self._address) as server:
            while (left := until - self._clock.now()) > 0:
                server.settimeout(min(left / SECOND, LOOK_S))
                try:
                    sock, _ = server.accept()
                except TimeoutError:
                    continue
                if link := self._let_in(sock, known):
                    return link
        where = f"{self._address.host}:{self._address.port}"
        hint = f"; the last one was refused: {self._refused}" if self._refused else "; start one, such as `rewardloop rl simulate`"
        raise SimulatorHung(f"Expected a simulator to connect to {where} within {timeout_s:g} s, none did{hint}", at="--env")

    def _let_in(self, sock: socket.socket, known: Told | None) -> Link | None:
        tuned(sock)
        try:
            peer, headers = welcome(sock, self._clock, _GREETING_S)
        except Lost as lost:
            sock.close()
            self._refused = str(lost)
            return None
        try:
            hello = from_simulator(peer.receive(_GREETING_S))
            told = self._checked(hello, headers.get("origin"), known)
            peer.send(written(Welcome()), _GREETING_S)
        except Refusal as refusal:
            self._refused = str(refusal)
            self._say(peer, Refused(code=refusal.code, message=str(refusal)[:4000]))
            return None
        except Lost as lost:
            self._refused = str(lost)
            peer.close(str(lost), 1002)
            return None
        return Link(peer, told)

    def _checked(self, hello: FromSimulator, origin: str | None, known: Told | None) -> Told:
        if not isinstance(hello, Hello):
            raise Refusal("hello", f"expected `hello` first, got `{type(hello).__name__.lower()}`")
        if not hmac.compare_digest(hello.token.encode(), self._token.encode()):
            raise Refusal("token", "expected the trainer's token, got another" if hello.token else "expected a token, got none")
        if not self._token and origin not in (None, "null") and not _is_local(urlsplit(origin).hostname or ""):
            raise Refusal("origin", f"expected a token from a page of {origin:.100}, got none")
        if hello.protocol != PROTOCOL:
            raise Refusal("protocol", f"expected protocol {PROTOCOL}, got {hello.protocol}")
        return _same(hello, known) if known else _told(hello)

    def _say(self, peer: Peer, refused: Refused) -> None:
        with contextlib.suppress(Lost):
            peer.send(written(refused), _GREETING_S)
        peer.close(refused.code, 1008)


def address_of(text: str) -> Address:
    """`PORT` or `HOST:PORT`; raises `InvalidInput`.

    >>> address_of("7777")
    Address(host='127.0.0.1', port=7777)
    """
    host, _, port = text.rpartition(":")
    if not port.isascii() or not port.isdecimal() or not 0 < int(port[:6]) < 65536:
        raise InvalidInput(f"Expected an address as PORT or HOST:PORT, got `{text:.100}`", at="--env")
    return Address(host.strip("[]") or "127.0.0.1", int(port))


def read_token(path: str) -> str:
    """The token of a file, without the end of its line; raises `InvalidInput`."""
    try:
        token = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"Expected a file with a token at {path}, got: {error}", at="$.token_file") from None
    if not 16 <= len(token) <= _MAX_TOKEN:
        raise InvalidInput(f"Expected a token of 16 to {_MAX_TOKEN} characters in {path}, got {len(token)}", at="$.token_file")
    return token


def _listening(address: Address) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    server = socket.socket(family, socket.SOCK_STREAM)
    try:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "SO_REUSEPORT"):
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        server.bind(address)
        server.listen(16)
    except OSError as error:
        server.close()
        raise Conflict(f"Expected to listen at {address.host}:{address.port}, got: {error}", at="--env") from None
    return server


def _told(hello: Hello) -> Told:
    try:
        seen = understood(hello.observation_space, "$.observation_space")
        done = understood(hello.action_space, "$.action_space")
    except InvalidInput as error:
        raise Refusal("spaces", str(error)) from None
    return Told(hello, seen, done)


def _same(hello: Hello, known: Told) -> Told:
    before = known.hello
    changed = difference(before.observation_space, hello.observation_space, "observation_space")
    changed = changed or difference(before.action_space, hello.action_space, "action_space")
    changed = changed or (f"masks: {before.masks} became {hello.masks}" if before.masks != hello.masks else "")
    if changed:
        versions = f" (version `{before.version}` became `{hello.version}`)" if before.version != hello.version else ""
        raise Refusal("spaces-changed", f"the spaces of `{hello.name:.100}` changed{versions}: {changed}")
    return Told(hello, known.observation_space, known.action_space)


def _is_local(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
