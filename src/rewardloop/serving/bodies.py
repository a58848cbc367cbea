"""Reads a request's body: bounded in size and in time, JSON only."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from rewardloop.errors import BodyTooLarge, UnsupportedMedia
from rewardloop.serving.replies import Header

Receive = Callable[[], Awaitable[dict[str, Any]]]

JSON_TYPES = frozenset({b"application/json"})

STALLED_SECONDS = 30.0
"""A body that is not there after so long is given up."""


class ClientGone(Exception):
    """Nobody is left to answer."""


class BodyStalled(Exception):
    """The client stopped sending in the middle."""


def check_headers(headers: Iterable[Header], limit: int, accepts: frozenset[bytes] = JSON_TYPES) -> None:
    """Raises `UnsupportedMedia` and `BodyTooLarge` before anything of the body was read. No content type is as good as JSON.

    An empty `accepts` takes any content type.
    """
    for name, value in headers:
        if name == b"content-length":
            if int(value) > limit:
                raise _too_large(limit)
        elif name == b"content-type":
            if accepts and value.partition(b";")[0].rstrip().lower() not in accepts:
                wanted = b" or ".join(sorted(accepts)).decode()
                raise UnsupportedMedia(f"Expected content-type {wanted}, got {value[:80].decode('latin-1')}")
        elif name == b"content-encoding" and value != b"identity":
            raise UnsupportedMedia(f"Expected no content-encoding, got {value[:80].decode('latin-1')}")


async def read_body(receive: Receive, limit: int) -> bytes:
    """The whole body; raises `BodyTooLarge` as soon as it is, `BodyStalled`, `ClientGone`."""
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientGone
    body: bytes = message["body"]
    return await _read_rest(body, receive, limit) if message["more_body"] else _bounded(body, limit)


async def _read_rest(first: bytes, receive: Receive, limit: int) -> bytes:
    body = bytearray(first)
    try:
        async with asyncio.timeout(STALLED_SECONDS):
            while len(body) <= limit:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientGone
                body += message["body"]
                if not message["more_body"]:
                    return _bounded(bytes(body), limit)
    except TimeoutError:
        raise BodyStalled(f"Expected the whole body within {STALLED_SECONDS:g} s") from None
    raise _too_large(limit)


def _bounded(body: bytes, limit: int) -> bytes:
    if len(body) > limit:
        raise _too_large(limit)
    return body


def _too_large(limit: int) -> BodyTooLarge:
    return BodyTooLarge(f"Expected a body of at most {limit} bytes, got more; send several smaller requests")
