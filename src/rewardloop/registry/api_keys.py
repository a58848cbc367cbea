"""API keys: how one is made, written, taken apart and told from a wrong one. The catalog keeps them; nothing is stored here.

A key is `rl_ID_SECRET`. The secret has 256 random bits, so one SHA-256 of it keeps it: a slow hash guards what people choose and
can be guessed, and would cost every request milliseconds.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from typing import Literal, NamedTuple, get_args

import msgspec

Role = Literal["decide", "reward", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)
MAX_NAME = 64

_PREFIX = "rl"
_ID_BYTES = 8
_SECRET_BYTES = 32


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """What the catalog keeps of a key: enough to recognise it, too little to use it."""

    key_id: str
    """Not secret: names the key in lists and logs; the access key id of signed requests."""
    name: str
    """What people call it."""
    digest: str
    """SHA-256 of the secret, hexadecimal."""
    roles: tuple[Role, ...]
    experiments: tuple[str, ...] = ()
    """Those it is for; empty: all, of now and later."""
    signs: bool = False
    """Whether requests may be signed with it (AWS Signature Version 4)."""
    created_at: int
    """Microseconds UTC."""
    revoked_at: int | None = None


class Token(NamedTuple):
    """A key in its two parts."""

    key_id: str
    secret: str

    def __str__(self) -> str:
        return f"{_PREFIX}_{self.key_id}_{self.secret}"

    @property
    def digest(self) -> str:
        """What is stored of the secret."""
        return hashlib.sha256(self.secret.encode()).hexdigest()


def new_token(entropy: Callable[[int], bytes]) -> Token:
    """A key that nobody has yet.

    >>> str(new_token(lambda n: bytes(n)))[:24]
    'rl_0000000000000000_AAAA'
    """
    return Token(entropy(_ID_BYTES).hex(), base64.urlsafe_b64encode(entropy(_SECRET_BYTES)).rstrip(b"=").decode())


def token_of(text: str) -> Token | None:
    """The parts of a key as it was shown; None for anything else.

    >>> token_of("rl_00ff_se_cret"), token_of("Basic abc")
    (Token(key_id='00ff', secret='se_cret'), None)
    """
    prefix, _, rest = text.partition("_")
    key_id, _, secret = rest.partition("_")
    return Token(key_id, secret) if prefix == _PREFIX and key_id and secret else None


def is_of(token: Token, digest: str) -> bool:
    """Whether the secret is the one that was kept; takes as long for a right one as for a wrong one.

    >>> token = new_token(lambda n: bytes(n))
    >>> is_of(token, token.digest), is_of(token._replace(secret="A"), token.digest)
    (True, False)
    """
    return hmac.compare_digest(token.digest, digest)
