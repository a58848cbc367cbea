"""The ASGI application: finds the route, reads the body, answers, counts. No framework: a request costs microseconds."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import Any

from rewardloop.clock import SECOND, Clock
from rewardloop.errors import BodyTooLarge, Overloaded, RewardloopError, UnsupportedMedia
from rewardloop.serving.access import Request
from rewardloop.serving.bodies import BodyStalled, ClientGone, Receive, check_headers, read_body
from rewardloop.serving.cors import Cors
from rewardloop.serving.guard import Guard
from rewardloop.serving.handlers import About, Call
from rewardloop.serving.heads import Heads
from rewardloop.serving.replies import Header, Reply, protocol_problem
from rewardloop.serving.routes import ROUTES, Match, Route, Router
from rewardloop.serving.service import Service

Scope = dict[str, Any]
Send = Callable[[dict[str, Any]], Awaitable[None]]

MAX_IN_FLIGHT = 1_024
"""Requests that a worker works on at once; one more is refused with 503."""

_CLOSE = ((b"connection", b"close"),)

_logger = logging.getLogger(__name__)


class Application:
    """Callable as ASGI; `find` and `answer` are the same for a protocol that has read the whole request already."""

    def __init__(
        self,
        service: Service,
        clock: Clock,
        about: About,
        routes: Sequence[Route] = ROUTES,
        *,
        guard: Guard | None = None,
        cors: Cors | None = None,
    ) -> None:
        self._about = about
        self._admit = (guard or Guard(service, clock)).admit
        self._cors = cors or None
        self._now = clock.now
        self._answered = service.counts.requests
        self._timings = {route.operation: service.counts.timing(route.operation) for route in routes}
        self._in_flight = 0
        self.find = Router(routes).find
        self.heads = Heads()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        try:
            body, status, headers = await self._reply(scope, receive)
        except ClientGone:
            return
        fields = [*headers, (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": status, "headers": fields})
        await send({"type": "http.response.body", "body": body})

    async def answer(self, route: Route, parameters: tuple[str, ...], request: Request) -> Reply:
        """The reply of a route, an error's included; counted and timed."""
        started = self._now()
        self._in_flight += 1
        try:
            if self._in_flight > MAX_IN_FLIGHT:
                raise Overloaded(f"{self._in_flight} requests are in flight in this worker")
            caller, service = self._admit(route, request)
            _, _, query, headers, body, _ = request
            reply = await route.handle(Call(service, self._about, parameters, query, headers, body, caller))
        except RewardloopError as error:
            reply = route.refuse(error)
        except Exception:
            _logger.exception("operation=%s failed", route.operation)
            reply = route.refuse(RewardloopError("The server failed; its log says how"))
        finally:
            self._in_flight -= 1
        self._timings[route.operation].observe((self._now() - started) / SECOND)
        return self._counted(route.operation, self._shared(route, request.headers, reply) if self._cors else reply)

    async def _reply(self, scope: Scope, receive: Receive) -> Reply:
        match = self.find(scope["raw_path"])
        if match is None:
            return self._counted("unknown", protocol_problem(HTTPStatus.NOT_FOUND, f"No such path: {scope['path'][:200]}"))
        route = match.routes.get("GET" if scope["method"] == "HEAD" else scope["method"])
        headers = scope["headers"]
        if route is None:
            asked_first = self._cors.preflight(match, headers) if self._cors and scope["method"] == "OPTIONS" else None
            return self._counted("unknown", asked_first or _wrong_method(match))
        body = await self._body(route, scope, receive)
        if isinstance(body, Reply):
            return self._counted(route.operation, self._shared(route, headers, body))
        address = scope["client"][0] if scope["client"] else ""
        request = Request(scope["method"], scope["raw_path"], scope["query_string"], headers, body, address)
        return await self.answer(route, match.parameters, request)

    async def _body(self, route: Route, scope: Scope, receive: Receive) -> bytes | Reply:
        """The body, or why it is refused."""
        if route.method == "GET":
            return b""
        try:
            check_headers(scope["headers"], route.max_body, route.accepts)
            return await read_body(receive, route.max_body)
        except UnsupportedMedia as error:
            return route.refuse(error)
        except BodyTooLarge as error:
            reply = route.refuse(error)
            return reply._replace(headers=(*reply.headers, *_CLOSE))
        except BodyStalled as error:
            return protocol_problem(HTTPStatus.REQUEST_TIMEOUT, str(error), _CLOSE)

    def _shared(self, route: Route, headers: Sequence[Header], reply: Reply) -> Reply:
        """The reply as a page of another origin may read it."""
        return reply._replace(headers=(*reply.headers, *self._cors.allow(headers))) if self._cors and route.browser else reply

    def _counted(self, operation: str, reply: Reply) -> Reply:
        key = f"{operation} {reply.status}"
        self._answered[key] = self._answered.get(key, 0) + 1
        return reply


def _wrong_method(match: Match) -> Reply:
    allowed = ", ".join(sorted(match.routes))
    return protocol_problem(HTTPStatus.METHOD_NOT_ALLOWED, f"Allowed here: {allowed}", [(b"allow", allowed.encode())])
