"""Requests that botocore signed are believed; one bit of them changed, and they are not."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rewardloop.clock import SECOND
from rewardloop.compat.sagemaker.sigv4 import BadSignature, Expired, NotSigned, SignedRequest, verify

PING: tuple[str, str, dict[str, str], bytes] = ("sagemaker", "/ping", {}, b"")
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
segments = st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF, exclude_characters="/?#\\"), min_size=1, max_size=8)
paths = st.lists(segments, min_size=1, max_size=4).map(lambda parts: "/" + "/".join(quote(part, safe="") for part in parts))
words = st.from_regex(r"[A-Za-z0-9_.~-]{0,6}", fullmatch=True)
queries = st.dictionaries(st.from_regex(r"[a-z]{1,6}", fullmatch=True), words, max_size=3)
bodies = st.binary(max_size=64)
requests = st.tuples(st.sampled_from(["sagemaker", "s3"]), paths, queries, bodies)


def secret_of(key_id: str) -> str | None:
    return SECRET if key_id == "AKID" else None


def now() -> int:
    return int(datetime.now(UTC).timestamp()) * SECOND


def signed(asked: tuple[str, str, dict[str, str], bytes] = PING, *, secret: str = SECRET, key_id: str = "AKID") -> SignedRequest:
    """As botocore signs it."""
    service, path, query, body = asked
    url = f"http://127.0.0.1:8080{path}?" + "&".join(f"{key}={value}" for key, value in query.items())
    request = AWSRequest("POST", url, data=body, headers={"Content-Type": "application/json", "X-Amzn-Note": " a  b "})
    signer = S3SigV4Auth if service == "s3" else SigV4Auth
    signer(Credentials(key_id, secret), service, "eu-west-1").add_auth(request)
    headers = [(name.lower().encode(), value.encode()) for name, value in request.headers.items()]
    parts = urlsplit(url)
    return SignedRequest("POST", parts.path.encode(), parts.query.encode(), [(b"host", b"127.0.0.1:8080"), *headers], body)


@settings(max_examples=60, deadline=None)
@given(requests)
def test_what_botocore_signs_is_believed(asked: tuple[str, str, dict[str, str], bytes]) -> None:
    assert verify(signed(asked), secret_of, now()) == "AKID"


@settings(max_examples=80, deadline=None)
@given(requests, st.sampled_from(["method", "path", "query", "body", "header", "signature"]), st.data())
def test_what_was_tampered_with_is_not(asked: tuple[str, str, dict[str, str], bytes], what: str, data: st.DataObject) -> None:
    request = signed(asked)
    if what == "method":
        forged = request._replace(method="DELETE")
    elif what == "path":
        forged = request._replace(raw_path=request.raw_path + b"x")
    elif what == "query":
        forged = request._replace(query=request.query + b"&zzz=1")
    elif what == "body":
        other = data.draw(bodies)
        assume(other != request.body)
        forged = request._replace(body=other)
    elif what == "header":
        forged = request._replace(headers=[(n, b"text/plain" if n == b"content-type" else v) for n, v in request.headers])
    else:
        place = data.draw(st.integers(-64, -1))
        forged = request._replace(headers=[(n, _flipped(v, place) if n == b"authorization" else v) for n, v in request.headers])
    with pytest.raises(BadSignature):
        verify(forged, secret_of, now())


def _flipped(value: bytes, place: int) -> bytes:
    changed = bytearray(value)
    changed[place] = ord("0") if value[place] != ord("0") else ord("1")
    return bytes(changed)


@pytest.mark.parametrize(("secret", "key_id"), [("other", "AKID"), (SECRET, "NOBODY")])
def test_a_wrong_secret_and_an_unknown_key_are_refused_alike(secret: str, key_id: str) -> None:
    with pytest.raises(BadSignature, match="check the secret access key"):
        verify(signed(secret=secret, key_id=key_id), secret_of, now())


@pytest.mark.parametrize("minutes", [-16, 16])
def test_a_clock_that_is_off_is_told_so(minutes: int) -> None:
    with pytest.raises(Expired, match="set your clock"):
        verify(signed(), secret_of, now() + minutes * 60 * SECOND)


def test_fourteen_minutes_are_forgiven() -> None:
    assert verify(signed(), secret_of, now() + 14 * 60 * SECOND) == "AKID"


def test_a_signature_for_another_service_is_refused() -> None:
    with pytest.raises(BadSignature, match="got `sagemaker`"):
        verify(signed(), secret_of, now(), services=("s3",))


@pytest.mark.parametrize(
    "authorization",
    [
        b"",
        b"Bearer abc",
        b"AWS4-HMAC-SHA256",
        b"AWS4-HMAC-SHA256 Credential=AKID/2026/eu/s3, SignedHeaders=host, Signature=00",
        b"AWS4-HMAC-SHA256 Credential=AKID/20260101/eu/sagemaker/aws4_request, SignedHeaders=host, Signature=" + b"0" * 64,
    ],
)
def test_what_is_no_signature_is_told_what_is_expected(authorization: bytes) -> None:
    with pytest.raises(NotSigned, match="Expected"):
        verify(SignedRequest("GET", b"/ping", b"", [(b"authorization", authorization)], b""), secret_of, now())


def test_a_signed_header_that_did_not_arrive_is_named() -> None:
    request = signed()
    with pytest.raises(NotSigned, match="content-type"):
        verify(request._replace(headers=[h for h in request.headers if h[0] != b"content-type"]), secret_of, now())


def test_the_same_header_twice_is_refused() -> None:
    request = signed()
    twice = [*request.headers, (b"x-amz-date", b"20200101T000000Z")]
    with pytest.raises(NotSigned, match="one header"):
        verify(request._replace(headers=twice), secret_of, now())


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=120), st.binary(max_size=20))
def test_no_authorization_header_breaks_it(authorization: bytes, stamp: bytes) -> None:
    headers = [(b"authorization", b"AWS4-HMAC-SHA256 " + authorization), (b"x-amz-date", stamp)]
    with pytest.raises((NotSigned, BadSignature)):
        verify(SignedRequest("POST", b"/", b"", headers, b""), secret_of, now())
