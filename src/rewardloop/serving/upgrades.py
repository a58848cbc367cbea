"""A client that offers to go on in another protocol (`Upgrade: h2c`, as Java's own does) is answered in this one.

A server may pass over such an offer (RFC 9110, 7.8), and then the request is one as any other. The parser stops at it, and
would take the body for the other protocol: so it is given the same head once more, without the offer.
"""

from __future__ import annotations

from rewardloop.serving.replies import Header

UPGRADE = b"upgrade"


def head_without_offer(method: bytes, url: bytes, version: str, headers: list[Header]) -> bytes:
    """The head of the request, of what the parser had found in it.

    >>> head_without_offer(b"GET", b"/healthz", "1.1", [(b"host", b"a"), (b"upgrade", b"h2c")])
    b'GET /healthz HTTP/1.1\\r\\nhost: a\\r\\n\\r\\n'
    """
    fields = b"".join(b"%b: %b\r\n" % header for header in headers if header[0] != UPGRADE)
    return b"%b %b HTTP/%b\r\n%b\r\n" % (method, url, version.encode(), fields)
