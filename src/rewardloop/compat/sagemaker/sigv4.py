"""AWS Signature Version 4, verified: did the holder of this secret sign exactly this, just now? Pure: no HTTP, no keys kept.

Source: "Create a signed AWS API request", AWS Identity and Access Management user guide. Header-based signatures; not the signed
URLs of S3, nor its streamed uploads.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import quote

from rewardloop.clock import SECOND
from rewardloop.errors import RewardloopError

MAX_SKEW = 900 * SECOND
"""Microseconds that a signature's clock may be off ours, either way."""

_ALGORITHM = "AWS4-HMAC-SHA256"
_CREDENTIAL = re.compile(
    r"(?P<key_id>[^/]{1,128})/(?P<date>[0-9]{8})/(?P<region>[a-z0-9-]{1,64})/(?P<service>[a-z0-9-]{1,64})/aws4_request"
)
_SIGNATURE = re.compile(r"[0-9a-f]{64}")
_INSTANT = re.compile(r"[0-9]{8}T[0-9]{6}Z")
_UNSIGNED = "UNSIGNED-PAYLOAD"

Header = tuple[bytes, bytes]
SecretOf = Callable[[str], str | None]


class NotSigned(RewardloopError):
    """There is no signature, or one of another kind, or it lacks a part."""

    code, title, status, exit_code = "not-signed", "Not signed", 403, 2


class BadSignature(RewardloopError):
    """Nobody who knows the secret signed this."""

    code, title, status, exit_code = "bad-signature", "Bad signature", 403, 2


class Expired(BadSignature):
    """Signed too long ago, or by a clock that runs ahead."""

    code, title = "signature-expired", "Signature expired"


class SignedRequest(NamedTuple):
    """A request as it came over the wire."""

    method: str
    raw_path: bytes
    """Percent-encoded, as sent."""
    query: bytes
    headers: Sequence[Header]
    """Names in lower case."""
    body: bytes


class _Claim(NamedTuple):
    """What an `Authorization` header says."""

    key_id: str
    date: str
    region: str
    service: str
    signed: tuple[str, ...]
    signature: str


def is_signed(headers: Sequence[Header]) -> bool:
    """Whether a request says it is signed like this.

    >>> is_signed([(b"authorization", b"AWS4-HMAC-SHA256 Credential=...")]), is_signed([(b"authorization", b"Bearer x")])
    (True, False)
    """
    return any(name == b"authorization" and value.startswith(_ALGORITHM.encode()) for name, value in headers)


def verify(request: SignedRequest, secret_of: SecretOf, now: int, services: Sequence[str] = ("sagemaker", "s3")) -> str:
    """The id of the key that signed the request.

    `secret_of` gives a key's secret, None for a key nobody has; `now` is in microseconds UTC. Raises `NotSigned`, `BadSignature`
    and `Expired`, all 403. An unknown key and a wrong signature take the same time and say the same.
    """
    claim = _claim(request.headers)
    if claim.service not in services:
        raise BadSignature(f"Expected a signature for service {' or '.join(services)}, got `{claim.service}`")
    stamp = _checked_stamp(request, claim, now)
    digest = _payload_digest(request, claim)
    canonical = _canonical(request, claim, digest)
    scope = f"{claim.date}/{claim.region}/{claim.service}/aws4_request"
    text = f"{_ALGORITHM}\n{stamp}\n{scope}\n{hashlib.sha256(canonical).hexdigest()}"
    secret = secret_of(claim.key_id)
    expected = hmac.new(_signing_key(secret or "", claim), text.encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, claim.signature) or secret is None:
        raise BadSignature(f"The signature is not that of key `{claim.key_id}` for this request: check the secret access key")
    return claim.key_id


def _claim(headers: Sequence[Header]) -> _Claim:
    sent = _one(headers, "authorization")
    algorithm, _, rest = sent.partition(" ")
    if algorithm != _ALGORITHM:
        raise NotSigned(f"Expected an Authorization header that begins with {_ALGORITHM}, got {'another' if sent else 'none'}")
    parts = dict(part.strip().partition("=")[::2] for part in rest.split(","))
    credential = _CREDENTIAL.fullmatch(parts.get("Credential", ""))
    signed = tuple(parts.get("SignedHeaders", "").split(";"))
    signature = parts.get("Signature", "")
    if credential is None or not _SIGNATURE.fullmatch(signature):
        raise NotSigned("Expected Credential=KEY/DATE/REGION/SERVICE/aws4_request, SignedHeaders=…, Signature=… in Authorization")
    if not {"host", "x-amz-date"} <= set(signed):
        raise NotSigned("Expected `host` and `x-amz-date` among SignedHeaders")
    return _Claim(credential["key_id"], credential["date"], credential["region"], credential["service"], signed, signature)


def _one(headers: Sequence[Header], name: str) -> str:
    """A header that may be there once; empty where it is not. Twice is an attempt to have one read and another one signed."""
    values = [value.decode("latin-1") for key, value in headers if key == name.encode("latin-1")]
    if len(values) > 1:
        raise NotSigned(f"Expected one header `{name}`, got {len(values)}")
    return values[0].strip() if values else ""


def _checked_stamp(request: SignedRequest, claim: _Claim, now: int) -> str:
    stamp = _one(request.headers, "x-amz-date")
    try:
        if not _INSTANT.fullmatch(stamp):
            raise ValueError
        at = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise NotSigned("Expected x-amz-date as YYYYMMDDTHHMMSSZ") from None
    if not stamp.startswith(claim.date):
        raise BadSignature("Expected the date of Credential to be that of x-amz-date")
    if abs(int(at) * SECOND - now) > MAX_SKEW:
        raise Expired(f"Signed at {stamp}, which is more than {MAX_SKEW // SECOND // 60} minutes off: sign anew, set your clock")
    return stamp


def _payload_digest(request: SignedRequest, claim: _Claim) -> str:
    """As it must stand in the canonical request. One that is declared must be the body's; S3 may leave the body unsigned."""
    declared = _one(request.headers, "x-amz-content-sha256")
    if declared == _UNSIGNED and claim.service == "s3":
        return declared
    actual = hashlib.sha256(request.body).hexdigest()
    if declared and not hmac.compare_digest(declared.encode("latin-1"), actual.encode()):
        raise BadSignature("Expected x-amz-content-sha256 to be the SHA-256 of the body")
    return actual


def _canonical(request: SignedRequest, claim: _Claim, digest: str) -> bytes:
    names = claim.signed
    lines = [
        request.method.upper(),
        _path(request.raw_path, claim.service),
        _query(request.query),
        *(f"{name}:{_values(request.headers, name)}" for name in names),
        "",
        ";".join(names),
        digest,
    ]
    return "\n".join(lines).encode("latin-1", "replace")


def _values(headers: Sequence[Header], name: str) -> str:
    found = [" ".join(value.decode("latin-1").split()) for key, value in headers if key.decode("latin-1") == name]
    if not found:
        raise NotSigned(f"Expected the header `{name[:64]}`, which SignedHeaders names, got none")
    return ",".join(found)


def _path(raw: bytes, service: str) -> str:
    """S3 signs the path as it is sent; the others normalise it and encode it once more."""
    path = raw.decode("latin-1")
    if service == "s3":
        return path or "/"
    kept: list[str] = []
    for part in path.split("/"):
        if part == "..":
            del kept[-1:]
        elif part not in ("", "."):
            kept.append(part)
    end = "/" if kept and path.endswith("/") else ""
    return quote("/" + "/".join(kept) + end, safe="/~", encoding="latin-1")


def _query(raw: bytes) -> str:
    pairs = [part.partition("=")[::2] for part in raw.decode("latin-1").split("&") if part]
    return "&".join(f"{key}={value}" for key, value in sorted(pairs))


def _signing_key(secret: str, claim: _Claim) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (claim.date, claim.region, claim.service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key
