"""The API keys as one worker holds them in memory, and the caller that a request's headers name. Reads no file by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from rewardloop.errors import Unauthorized
from rewardloop.registry.api_keys import ROLES, ApiKey, is_of, token_of
from rewardloop.registry.signing import signing_secret
from rewardloop.serving.access import Caller, Request
from rewardloop.serving.replies import Header

KEY_HEADERS = (b"x-api-key", b"ocp-apim-subscription-key")
_BEARER = "bearer "


class _Held(NamedTuple):
    key: ApiKey
    caller: Caller


class Keyring:
    """Replaced whole when the catalog's keys have changed, never altered.

    `on`: a key is asked for. So it is as soon as one was ever made: revoking the last one opens nothing.
    """

    def __init__(self, keys: Iterable[ApiKey] = (), signing_root: bytes | None = None) -> None:
        known = list(keys)
        self.on = bool(known)
        self._root = signing_root
        self._held = {key.key_id: _Held(key, _caller(key)) for key in known if key.revoked_at is None}

    def presented(self, headers: Sequence[Header]) -> Caller:
        """The caller whose key stands in the headers. Raises `Unauthorized` where none does, or a wrong one."""
        text = _presented(headers)
        token = token_of(text)
        held = self._held.get(token.key_id) if token else None
        if token is None or held is None or not is_of(token, held.key.digest):
            raise Unauthorized(_refusal(text))
        return held.caller

    def secret_of(self, key_id: str) -> str | None:
        """The secret that a key signs with; None where it may not sign, or is not there."""
        held = self._held.get(key_id)
        return signing_secret(self._root, key_id) if held and held.key.signs and self._root else None

    def by_id(self, key_id: str) -> Caller:
        """The caller whose signature was verified. Raises `Unauthorized` where the key is gone."""
        held = self._held.get(key_id)
        if held is None:
            raise Unauthorized(_refusal(key_id))
        return held.caller


Scheme = Callable[[Request, Keyring, int], Caller]
"""How a request says who sent it; a dialect may have its own. The third is the instant, microseconds UTC. Raises `Unauthorized`."""


def plain_key(request: Request, keyring: Keyring, _: int) -> Caller:
    """The key itself, in one of three headers: `X-API-Key`, `Ocp-Apim-Subscription-Key`, `Authorization: Bearer`."""
    return keyring.presented(request.headers)


def _presented(headers: Sequence[Header]) -> str:
    for name, value in headers:
        if name in KEY_HEADERS:
            return value.decode("latin-1").strip()
        if name == b"authorization":
            text = value.decode("latin-1")
            if text[: len(_BEARER)].lower() == _BEARER:
                return text[len(_BEARER) :].strip()
    return ""


def _refusal(text: str) -> str:
    if text:
        return "Nobody has this API key, or it was revoked: `rewardloop keys list` shows those there are"
    return "Expected an API key in `X-API-Key`, `Ocp-Apim-Subscription-Key` or `Authorization: Bearer`, got none"


def _caller(key: ApiKey) -> Caller:
    roles = frozenset(ROLES if "admin" in key.roles else key.roles)
    return Caller(key.key_id, roles, frozenset(key.experiments) if key.experiments else None)
