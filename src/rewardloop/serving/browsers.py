"""What a browser asks on behalf of a page: a server without keys takes its word for whose page that is, and answers only its own.

Without keys whoever reaches the server may ask, and any page that is open on this machine reaches it: by a blind POST, or under a
name of its own that resolves to 127.0.0.1 (DNS rebinding). Browsers say `Origin` with every POST and the name in `Host`; other
clients say no origin, and a host that is this machine's.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from rewardloop.errors import Forbidden
from rewardloop.serving.cors import Cors
from rewardloop.serving.replies import Header
from rewardloop.serving.routes import Route

_ELSEWHERE = frozenset((b"cross-site", b"same-site"))
_MAX_HOSTS = 64


class Browsers:
    """Pages of the server's own origin may ask anything, those of `cors` what is for pages, others nothing.

    `any_host`: whether the server may be called by any name; otherwise by this machine's own only.
    """

    def __init__(self, cors: Cors, *, any_host: bool) -> None:
        self._cors = cors
        self._any_host = any_host
        self._hosts = {b""}

    def check(self, route: Route, headers: Sequence[Header]) -> None:
        """Raises `Forbidden`."""
        host = origin = site = b""
        for name, value in headers:
            if name == b"host":
                host = value
            elif name == b"origin":
                origin = value
            elif name == b"sec-fetch-site":
                site = value
        if host not in self._hosts and not self._any_host:
            self._check_host(host)
        if origin:
            self._check_origin(route, origin.lower(), host.lower())
        elif site in _ELSEWHERE and route.method != "GET":
            raise Forbidden("Expected a request of a page of this server, got another site's, without `Origin`")

    def _check_host(self, host: bytes) -> None:
        if not is_own(host):
            name = host[:200].decode("latin-1")
            raise Forbidden(
                f"Expected `Host` to be this machine (127.0.0.1, localhost), got `{name}`: without API keys no other is "
                "answered. Make one (`rewardloop keys add NAME`), or say `--insecure` where a proxy asks who is calling"
            )
        if len(self._hosts) < _MAX_HOSTS:
            self._hosts.add(host)

    def _check_origin(self, route: Route, origin: bytes, host: bytes) -> None:
        if origin.partition(b"://")[2] == host:
            return
        name = origin[:200].decode("latin-1")
        if not self._cors.lets_in(origin):
            raise Forbidden(f"Pages of `{name}` may not ask here: let them in with `serve --cors-origin {name}`")
        if not route.browser:
            raise Forbidden(f"Pages of another origin (`{name}`) may decide, reward and activate, by the native API only")


def is_own(host: bytes) -> bool:
    """Whether a `Host` names this machine and nothing else can: no name that a stranger's name server answers for.

    >>> [is_own(host) for host in (b"127.0.0.1:8080", b"[::1]:8080", b"localhost", b"shop.localhost:80", b"evil.example:8080")]
    [True, True, True, True, False]
    """
    name = host.decode("latin-1").lower()
    name = name[1 : name.find("]")] if name.startswith("[") else name.partition(":")[0]
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
