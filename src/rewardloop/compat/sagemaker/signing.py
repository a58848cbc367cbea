"""How AWS's clients say who they are: by a signature (Version 4) with an API key's id and secret. Or by the key itself."""

from __future__ import annotations

from rewardloop.compat.sagemaker.sigv4 import SignedRequest, is_signed, verify
from rewardloop.errors import Unauthorized
from rewardloop.serving.access import Caller, Request
from rewardloop.serving.keyring import KEY_HEADERS, Keyring

_SAYS_WHO = (*KEY_HEADERS, b"authorization")


def signed_or_plain(request: Request, keyring: Keyring, now: int) -> Caller:
    """The caller. Raises `NotSigned`, `BadSignature`, `Expired`, `Unauthorized`: to boto3 all are `AccessDeniedException`."""
    if not is_signed(request.headers):
        if not any(name in _SAYS_WHO for name, _ in request.headers):
            raise Unauthorized("Expected a signature by a key of `rewardloop keys add NAME --aws`, or the key itself, got none")
        return keyring.presented(request.headers)
    method, raw_path, query, headers, body, _ = request
    return keyring.by_id(verify(SignedRequest(method, raw_path, query, headers, body), keyring.secret_of, now))
