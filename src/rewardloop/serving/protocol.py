"""A shorter way through uvicorn's HTTP protocol for what is asked most: a plain POST with a known, small, JSON body.

Such a request needs no ASGI scope, no channel to receive from, no task of its own, no second write: the whole body is collected,
one task a connection asks for the application's `answer`, the response is one write. That halves what uvicorn costs a request;
where the head is one that came before (`heads`), not even the parser is asked. All else (GET, chunked bodies, `Expect`, HTTP/1.0,
pipelined requests, any other ASGI application's paths, whatever is to be refused) goes uvicorn's own way, and so does everything
about connections: limits, back-pressure, graceful shutdown.
"""

from __future__ import annotations

import asyncio
from functools import lru_cache
from http import HTTPStatus
from typing import ClassVar

import msgspec
from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from rewardloop.errors import BodyTooLarge, UnsupportedMedia
from rewardloop.serving.access import Request
from rewardloop.serving.application import Application
from rewardloop.serving.bodies import check_headers
from rewardloop.serving.head_limit import MAX_HEAD, HeadLimit
from rewardloop.serving.heads import Head, Heads
from rewardloop.serving.replies import Header, Reply, protocol_problem
from rewardloop.serving.routes import Match, Route
from rewardloop.serving.upgrades import UPGRADE, head_without_offer

_HEAD_END = b"\r\n\r\n"
HEAD_TOO_LARGE = protocol_problem(
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"Expected a request line and headers of at most {MAX_HEAD} bytes, got more"
)
NO_HTTP = protocol_problem(HTTPStatus.BAD_REQUEST, "Expected a request in HTTP/1.1 or HTTP/1.0, got something else")
_SLOW_HEADERS = frozenset({b"transfer-encoding", b"expect", b"upgrade", b"connection"})


class _Unheard:
    """Stands where uvicorn's cycle has an event that wakes a reader: here nobody waits for a part of a body."""

    def set(self) -> None:
        """Wakes nobody."""


class ShortCycle(msgspec.Struct, eq=False):
    """One request on the short way. Has what uvicorn's protocol looks at in its own cycle."""

    message_event: ClassVar[_Unheard] = _Unheard()
    route: Route
    match: Match
    url: tuple[bytes, bytes]
    """Path and query."""
    headers: list[Header]
    body: bytes | bytearray
    more_body: bool = True
    response_complete: bool = False
    disconnected: bool = False
    keep_alive: bool = True


class ShortcutProtocol(HttpToolsProtocol):
    """uvicorn's protocol, for an `Application`."""

    cycle: RequestResponseCycle | ShortCycle  # type: ignore[assignment]
    _heard = True
    _watch: asyncio.TimerHandle | None = None
    _between = True
    """Whether the parser stands between two messages."""
    _heads: Heads | None = None
    _answering: asyncio.Task[None] | None = None
    """Answers one request after the other: to make a task costs more than to wake one."""
    _next: asyncio.Future[ShortCycle] | None = None
    """What it waits for."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._heads = self.app.heads if isinstance(self.app, Application) else None
        self._limit = HeadLimit()
        self._watch = self.loop.call_later(self.timeout_keep_alive, self._close_if_silent)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._watch is not None:
            self._watch.cancel()
        if self._next is not None:
            self._next.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._heard = True
        if self._limit.exceeded(data):
            self._refuse(HEAD_TOO_LARGE)
            return
        if not self._between or self._heads is None:
            self._parse(data)
        elif self._came_before(data, self._heads):
            return
        else:
            before = self.cycle
            self._parse(data)
            if self._between and self.cycle is not before and type(self.cycle) is ShortCycle:
                _remember(data, self.cycle, self._heads)
        self._limit.went_by(data)

    def shutdown(self) -> None:
        """Nobody waits for the rest of a body that may never come."""
        if type(self.cycle) is ShortCycle and self.cycle.more_body:
            self.transport.close()
        else:
            super().shutdown()

    def on_message_begin(self) -> None:
        self._between = False
        self.url = b""
        self.headers = []
        self.expect_100_continue = False

    def on_headers_complete(self) -> None:
        if self._offers_another_protocol():
            return
        self._limit.ended()
        if self._short_way():
            return
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expects
        self.headers.extend(headers)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if type(self.cycle) is ShortCycle:
            self.cycle.body += body  # A bytearray. Not more than the content-length that was found small enough.
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        if self._offers_another_protocol():
            return
        self._between = True
        self._limit.begins()
        cycle = self.cycle
        if type(cycle) is not ShortCycle:
            super().on_message_complete()
        elif cycle.more_body:
            self._begin(cycle)

    def _parse(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        try:
            self.parser.feed_data(data)
        except HttpParserUpgrade as stopped:
            if self._offers_another_protocol():
                [n_read] = stopped.args
                self._parse(self._without_offer() + data[n_read:])
            else:
                self._refuse(NO_HTTP)
        except HttpParserError:
            self._refuse(NO_HTTP)

    def _without_offer(self) -> bytes:
        """The head that the parser stopped at, for a parser that has seen nothing yet."""
        head = head_without_offer(self.parser.get_method(), self.url, self.parser.get_http_version(), self.headers)
        self.parser = HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # As uvicorn's own.
        return head

    def _offers_another_protocol(self) -> bool:
        """The parser stops at such a head. At CONNECT too, which stays refused."""
        return self.parser.should_upgrade() and any(name == UPGRADE for name, _ in self.headers)

    def _came_before(self, data: bytes, heads: Heads) -> bool:
        """Answers one whole request whose head is known, if that is what came."""
        end = data.find(_HEAD_END)
        head = heads.find(data[:end])
        if head is None or len(data) != end + len(_HEAD_END) + head.length or not self._free():
            return False
        self._unset_keepalive_if_required()
        self.cycle = ShortCycle(head.route, head.match, head.url, head.headers, data[end + len(_HEAD_END) :])
        self._begin(self.cycle)
        return True

    def _begin(self, cycle: ShortCycle) -> None:
        """The request is whole."""
        cycle.more_body = False
        if self._answering is None or self._next is None:
            self._answering = self.loop.create_task(self._answer_each(cycle))
        else:
            self._next.set_result(cycle)
        self.tasks.add(self._answering)

    def _refuse(self, reply: Reply) -> None:
        """Says why, unless an answer is under way on this connection, and ends it."""
        if self.cycle is None or self.cycle.response_complete:
            self.transport.write(_response(reply, keep_alive=False))
        self.transport.close()

    def _short_way(self) -> bool:
        """Takes it, if this request may."""
        if not isinstance(self.app, Application) or not self._free() or not self._is_plain_post():
            return False
        path, _, query = self.url.partition(b"?")
        match = self.app.find(path)
        route = match.routes.get("POST") if match is not None else None
        if match is None or route is None or not _is_plain(self.headers, route):
            return False
        self.cycle = ShortCycle(route, match, (path, query), self.headers, bytearray())
        return True

    def _is_plain_post(self) -> bool:
        return self.parser.get_method() == b"POST" and b"#" not in self.url and self.parser.get_http_version() == "1.1"

    def _free(self) -> bool:
        """Nothing is being answered on this connection, and the worker has room."""
        if (self.cycle is not None and not self.cycle.response_complete) or self.flow.write_paused:
            return False
        limit = self.limit_concurrency
        return limit is None or (len(self.connections) < limit and len(self.tasks) < limit)

    async def _answer_each(self, cycle: ShortCycle) -> None:
        """This request, and those that will come on this connection."""
        own = self._answering
        assert own is not None
        try:
            while True:
                await self._answer(cycle)
                if self.transport.is_closing():
                    return
                self.tasks.discard(own)
                self._next = self.loop.create_future()
                cycle = await self._next
        finally:
            self.tasks.discard(own)
            self._next = None

    async def _answer(self, cycle: ShortCycle) -> None:
        address = self.client[0] if self.client else ""
        request = Request("POST", *cycle.url, cycle.headers, bytes(cycle.body), address)
        reply = await self.app.answer(cycle.route, cycle.match.parameters, request)
        cycle.response_complete = True
        if cycle.disconnected or self.transport.is_closing():
            return
        self.transport.write(_response(reply, cycle.keep_alive))
        if not cycle.keep_alive:
            self.transport.close()
        if self.pipeline:
            self.on_response_complete()
        else:
            self.server_state.total_requests += 1

    def _close_if_silent(self) -> None:
        """One timer a connection, where uvicorn sets one a request: a silent connection is closed after one to two periods."""
        answering = self.cycle is not None and not self.cycle.response_complete and not self.cycle.more_body
        if (not self._heard and not answering) or self._limit.lingers():
            self.transport.close()
        else:
            self._heard = False
            self._watch = self.loop.call_later(self.timeout_keep_alive, self._close_if_silent)


def _remember(data: bytes, cycle: ShortCycle, heads: Heads) -> None:
    """The head of a request that came alone and whole; its body, as the parser found it, begins where `data` says that it does."""
    end = data.find(_HEAD_END)
    if end + len(_HEAD_END) + len(cycle.body) == len(data):
        heads.remember(data[:end], Head(cycle.route, cycle.match, cycle.url, cycle.headers, len(cycle.body)))


def _is_plain(headers: list[Header], route: Route) -> bool:
    sized = False
    for name, _ in headers:
        if name in _SLOW_HEADERS:
            return False
        sized = sized or name == b"content-length"
    try:
        check_headers(headers, route.max_body, route.accepts)
    except (BodyTooLarge, UnsupportedMedia):
        return False
    return sized


def _response(reply: Reply, keep_alive: bool) -> bytes:
    body, status, headers = reply
    return b"%b%d\r\n%b\r\n%b" % (_head(status, headers), len(body), b"" if keep_alive else b"connection: close\r\n", body)


@lru_cache(maxsize=256)
def _head(status: int, headers: tuple[Header, ...]) -> bytes:
    """There are as many as there are statuses and constant header sets; a dialect may have some that vary."""
    fields = b"".join(b"%b: %b\r\n" % header for header in headers)
    return b"HTTP/1.1 %d %b\r\n%bcontent-length: " % (status, HTTPStatus(status).phrase.encode(), fields)
