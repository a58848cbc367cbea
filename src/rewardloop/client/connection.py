"""How requests are sent: where to, with which key, how often again. A request that can be repeated safely is, after a pause."""

from __future__ import annotations

import asyncio
import encodings.idna  # noqa: F401 - sockets load it at the first host name; a fork meanwhile would leave its import lock held for ever
import os
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import httpx2

from rewardloop.client.wire import Post, read
from rewardloop.errors import InvalidInput, RewardloopError

TIMEOUT_SECONDS = 10.0
RETRIES = 2
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0
_AGAIN = frozenset(
    (
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    )
)
"""What passes by itself."""

Verify = bool | Path
"""Whether the server's certificate must be one that this machine trusts, or the PEM file that it must be signed by."""


class Unreachable(RewardloopError):
    """No answer: no connection, or none in time."""

    code, title, status = "unreachable", "Server unreachable", 503


@dataclass(frozen=True, slots=True)
class Server:
    """Where requests go."""

    url: str
    api_key: str | None
    verify: Verify
    timeout_seconds: float
    retries: int

    def __post_init__(self) -> None:
        """Raises `InvalidInput` for a key that no header can carry: a placeholder, or one pasted with its line end."""
        if self.api_key and not (self.api_key.isascii() and self.api_key.isprintable() and " " not in self.api_key):
            raise InvalidInput("Expected an API key as `rewardloop keys add` showed it, got other characters", at="api_key")

    @property
    def headers(self) -> dict[str, str]:
        """Of every request."""
        return {"content-type": "application/json", **({"x-api-key": self.api_key} if self.api_key else {})}

    @property
    def trust(self) -> ssl.SSLContext | bool:
        return ssl.create_default_context(cafile=self.verify) if isinstance(self.verify, Path) else self.verify

    def pauses(self) -> Iterator[float]:
        """Before each repetition, in seconds.

        >>> list(Server("http://127.0.0.1", None, True, 1.0, 3).pauses())
        [0.1, 0.2, 0.4]
        """
        return (min(_FIRST_PAUSE * 2**i, _LONGEST_PAUSE) for i in range(self.retries))


class Connection:
    """Blocking. Threads may share it; a forked child makes its own connections."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._inherited: list[httpx2.Client] = []
        self._open()

    def post(self, post: Post) -> bytes:
        """The answer's body; again where that may help. Raises `RequestRefused`, `Unreachable`."""
        for pause in self._server.pauses():
            try:
                response = self._once(post)
            except Unreachable:
                time.sleep(pause)
                continue
            if response.status_code not in _AGAIN:
                return read(response)
            time.sleep(_wanted(response, pause))
        return read(self._once(post))

    def _once(self, post: Post) -> httpx2.Response:
        if os.getpid() != self._pid:
            self._inherited.append(self._http)  # Its connections and locks are the parent's: it is neither used nor closed.
            self._open()
        try:
            return self._http.post(post.path, content=post.body)
        except httpx2.TransportError as error:
            raise _unreachable(self._server.url, error) from None

    def _open(self) -> None:
        server = self._server
        self._pid = os.getpid()
        self._http = httpx2.Client(base_url=server.url, headers=server.headers, timeout=server.timeout_seconds, verify=server.trust)

    def close(self) -> None:
        self._http.close()


class AsyncConnection:
    """The same, awaited. Belongs to one event loop."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._http = httpx2.AsyncClient(
            base_url=server.url, headers=server.headers, timeout=server.timeout_seconds, verify=server.trust
        )

    async def post(self, post: Post) -> bytes:
        """As `Connection.post`."""
        for pause in self._server.pauses():
            try:
                response = await self._once(post)
            except Unreachable:
                await asyncio.sleep(pause)
                continue
            if response.status_code not in _AGAIN:
                return read(response)
            await asyncio.sleep(_wanted(response, pause))
        return read(await self._once(post))

    async def _once(self, post: Post) -> httpx2.Response:
        try:
            return await self._http.post(post.path, content=post.body)
        except httpx2.TransportError as error:
            raise _unreachable(self._server.url, error) from None

    async def close(self) -> None:
        await self._http.aclose()


def passes(status: int) -> bool:
    """Whether a refusal passes by itself: the same request may be answered later.

    >>> passes(503), passes(422)
    (True, False)
    """
    return status in _AGAIN or status == HTTPStatus.INTERNAL_SERVER_ERROR


def _wanted(response: httpx2.Response, pause: float) -> float:
    """The pause that the server asks for, if it does and it is not too long."""
    asked = response.headers.get("retry-after", "")
    return min(float(asked), _LONGEST_PAUSE) if asked.isdecimal() else pause


def _unreachable(url: str, error: httpx2.TransportError) -> Unreachable:
    return Unreachable(f"No answer from {url}: {str(error) or type(error).__name__}; does `rewardloop serve` run there?")
