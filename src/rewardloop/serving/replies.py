"""What is sent back: JSON, or an RFC 9457 problem document. No routing, no domain."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import NamedTuple

import msgspec

from rewardloop.errors import RewardloopError, TooManyRequests

Header = tuple[bytes, bytes]

JSON: Header = (b"content-type", b"application/json")
_PROBLEM: Header = (b"content-type", b"application/problem+json")

encode = msgspec.json.Encoder().encode


class Reply(NamedTuple):
    """A whole response. Its content-length is added when it is sent."""

    body: bytes
    status: int = 200
    headers: tuple[Header, ...] = (JSON,)


class Problem(msgspec.Struct, frozen=True, rename={"type_": "type"}):
    """RFC 9457; `at` is the JSON path of the offending value."""

    type_: str
    title: str
    status: int
    detail: str
    at: str | None = None


def problem(error: RewardloopError) -> Reply:
    """An error raised on purpose. 503 asks the client to come back in a second, 429 when there is room again."""
    return Reply(encode(error.problem()), error.status, (_PROBLEM, *hints(error)))


def hints(error: RewardloopError) -> tuple[Header, ...]:
    """The headers that tell a client what to do about an error, whatever its dialect."""
    if error.status == HTTPStatus.UNAUTHORIZED:
        return ((b"www-authenticate", b'Bearer realm="rewardloop"'),)
    if isinstance(error, TooManyRequests):
        return ((b"retry-after", b"%d" % error.retry_after_seconds),)
    return ((b"retry-after", b"1"),) if error.status == HTTPStatus.SERVICE_UNAVAILABLE else ()


def protocol_problem(status: HTTPStatus, detail: str, headers: Iterable[Header] = ()) -> Reply:
    """An error of HTTP's own (no such route, wrong method, …) rather than of the domain.

    >>> protocol_problem(HTTPStatus.NOT_FOUND, "No such path").body
    b'{"type":"about:blank","title":"Not Found","status":404,"detail":"No such path"}'
    """
    body = {"type": "about:blank", "title": status.phrase, "status": status.value, "detail": detail}
    return Reply(encode(body), status.value, (_PROBLEM, *headers))
