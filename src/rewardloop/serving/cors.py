"""Cross-origin requests of browsers (the Fetch standard): which origins may ask, and the answer to what a browser asks first."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rewardloop.errors import InvalidInput
from rewardloop.serving.replies import Header, Reply

if TYPE_CHECKING:  # The supervisor checks origins, and needs nothing of what answers.
    from rewardloop.serving.routes import Match

ANY = b"*"
_ORIGIN = re.compile(r"https?://[^/\s]+")
_HEADERS = b"content-type, x-api-key, authorization, ocp-apim-subscription-key"
_VARY: Header = (b"vary", b"origin")
_MAX_AGE_SECONDS = b"7200"
"""As long as Chromium remembers it at most."""


class Cors:
    """The origins that pages may be of; without any no browser lets another site's page read an answer.

    Raises `InvalidInput` for what is no origin.

    >>> cors = Cors(["https://shop.example"])
    >>> dict(cors.allow([(b"origin", b"https://shop.example")]))[b"access-control-allow-origin"]
    b'https://shop.example'
    >>> cors.allow([(b"origin", b"https://other.example")])
    ((b'vary', b'origin'),)
    """

    def __init__(self, origins: Iterable[str]) -> None:
        listed = list(origins)
        for origin in listed:
            if origin != "*" and not _ORIGIN.fullmatch(origin):
                raise InvalidInput(f"Expected an origin such as https://shop.example (no path), or `*`, got `{origin[:200]}`")
        self._origins = frozenset(origin.lower().encode("latin-1", "replace") for origin in listed)

    def __bool__(self) -> bool:
        return bool(self._origins)

    def lets_in(self, origin: bytes) -> bool:
        """Whether pages of an origin, in lower case, may ask what is for pages."""
        return ANY in self._origins or origin in self._origins

    def allow(self, headers: Sequence[Header]) -> tuple[Header, ...]:
        """What an answer says beside its own headers."""
        if ANY in self._origins:
            return ((b"access-control-allow-origin", ANY), (b"access-control-expose-headers", b"retry-after"))
        origin = next((value for name, value in headers if name == b"origin"), b"")
        if origin.lower() not in self._origins:
            return (_VARY,)
        return ((b"access-control-allow-origin", origin), (b"access-control-expose-headers", b"retry-after"), _VARY)

    def preflight(self, match: Match, headers: Sequence[Header]) -> Reply | None:
        """The answer to OPTIONS; None where no route of the path is for browsers."""
        methods = [method for method, route in match.routes.items() if route.browser]
        if not methods:
            return None
        granted = self.allow(headers)
        if len(granted) == 1:
            return Reply(b"", 204, granted)
        asked: tuple[Header, ...] = (
            (b"access-control-allow-methods", ", ".join(methods).encode()),
            (b"access-control-allow-headers", _HEADERS),
            (b"access-control-max-age", _MAX_AGE_SECONDS),
        )
        return Reply(b"", 204, (*granted, *asked))
