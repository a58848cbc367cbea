"""How AWS's clients say who they are: by a signature (Version 4) with an API key's id and secret. Or by the key itself."""

from __future__ import annotations

from rewardloop.compat.sagemaker.sigv4 import SignedRequest, is_signed, verify
from rewardloop.serving.access import Caller, Request
from rewardloop.serving.keyring import Keyring


def signed_or_plain(request: Request, keyring: Keyring, now: int) -> Caller:
    """The caller. Raises `NotSigned`, `BadSignature`, `Expired`, `Unauthorized`: to boto3 all are `AccessDeniedException`."""
    if not is_signed(request.headers):
        return keyring.presented(request.headers)
    method, raw_path, query, headers, body, _ = request
    return keyring.by_id(verify(SignedRequest(method, raw_path, query, headers, body), keyring.secret_of, now))
