"""TLS, cross-origin requests, rate limits and the refusal of public addresses, on the real server."""

from __future__ import annotations

import http.client
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from certificates import certify
from processes import eventually
from rewardloop.clock import SECOND
from rewardloop.errors import InvalidInput, TooManyRequests
from rewardloop.serving.limits import MAX_CALLERS, RateLimit
from rewardloop.serving.link import Protection
from rewardloop.serving.supervisor import serve
from rewardloop.serving.tls import Certificate
from running_server import ARMS, Server, add_key, register, running

DECIDE = "/v1/experiments/offers/decide"
SHOP = "https://shop.example"


def common_name(server: Server, trusted: Path | None = None) -> str:
    context = ssl.create_default_context(cafile=trusted) if trusted else ssl._create_unverified_context()
    connection = http.client.HTTPSConnection("127.0.0.1", server.port, timeout=60, context=context)
    try:
        connection.request("POST", DECIDE, b'{"context":{}}')
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200
        raw = connection.sock.getpeercert(binary_form=True)
        return x509.load_der_x509_certificate(raw).subject.rfc4514_string()
    finally:
        connection.close()


def test_https_and_a_certificate_renewed_while_it_serves(tmp_path: Path) -> None:
    register(tmp_path, ARMS)
    protection = certify(tmp_path, "first")
    with running(tmp_path, protection=protection) as server:
        assert common_name(server, tmp_path / "chain.pem") == "CN=first"
        certify(tmp_path, "second")
        assert eventually(lambda: common_name(server) == "CN=second")
        with pytest.raises((OSError, http.client.HTTPException)):
            server.decide()  # plain HTTP


@pytest.fixture(scope="module")
def keyless(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    data = tmp_path_factory.mktemp("keyless")
    register(data, ARMS)
    with running(data, protection=Protection(cors_origins=(SHOP,))) as server:
        yield server


def asked(server: Server, method: str, path: str, headers: dict[str, str], body: bytes = b'{"context":{}}') -> int:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    try:
        connection.request(method, path, body if method == "POST" else None, headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": "http://127.0.0.1:{port}"}, 200),
        ({"Origin": SHOP}, 200),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://127.0.0.1:1"}, 403),
        ({"Origin": "https://evil.example", "Content-Type": "text/plain"}, 415),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Host": "evil.example:{port}"}, 403),
        ({"Host": "evil.example:{port}", "Origin": "http://evil.example:{port}"}, 403),
        ({"Host": "127.0.0.1.evil.example"}, 403),
        ({"Host": "LOCALHOST:{port}"}, 200),
        ({"Host": "[::1]:{port}"}, 200),
    ],
)
def test_without_keys_no_other_sites_page_decides(keyless: Server, headers: dict[str, str], status: int) -> None:
    said = {name: value.format(port=keyless.port) for name, value in headers.items()}
    assert asked(keyless, "POST", DECIDE, said) == status


def test_without_keys_a_name_of_another_machine_reads_nothing_and_pages_use_the_native_routes_only(keyless: Server) -> None:
    assert asked(keyless, "GET", "/v1/experiments", {"Host": "evil.example"}) == 403
    assert asked(keyless, "GET", "/v1/experiments", {"Sec-Fetch-Site": "cross-site"}) == 200  # a link that was followed
    assert asked(keyless, "POST", "/personalizer/v1.0/rank", {"Origin": SHOP}) == 403
    assert asked(keyless, "POST", "/invocations", {"Origin": "https://evil.example"}) == 403


def test_behind_a_proxy_that_asks_who_is_calling_any_name_will_do(tmp_path: Path) -> None:
    register(tmp_path, ARMS)
    with running(tmp_path, protection=Protection(insecure=True)) as server:
        assert asked(server, "POST", DECIDE, {"Host": "bandit.example"}) == 200
        assert asked(server, "POST", DECIDE, {"Host": "bandit.example", "Origin": "https://bandit.example"}) == 200
        assert asked(server, "POST", DECIDE, {"Host": "bandit.example", "Origin": "https://evil.example"}) == 403


def test_old_tls_is_refused(tmp_path: Path) -> None:
    protection = certify(tmp_path, "any")
    context = Certificate(Path(protection.tls_certificate), Path(protection.tls_key)).context
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize("broken", ["missing", "other", "swapped", "empty"])
def test_a_wrong_certificate_is_said_before_anything_starts(tmp_path: Path, broken: str) -> None:
    protection = certify(tmp_path, "one")
    chain, key = Path(protection.tls_certificate), Path(protection.tls_key)
    if broken == "missing":
        key.unlink()
    elif broken == "other":
        mine = chain.read_bytes()
        certify(tmp_path, "two")
        chain.write_bytes(mine)
    elif broken == "swapped":
        chain, key = key, chain
    else:
        chain.write_bytes(b"")
    with pytest.raises(InvalidInput, match=r"\.pem"):
        serve(tmp_path, "127.0.0.1", 0, 1, print, protection=Protection(tls_certificate=str(chain), tls_key=str(key)))


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_a_public_address_without_keys_is_refused(tmp_path: Path, host: str) -> None:
    with pytest.raises(InvalidInput, match=r"rewardloop keys add .* 127\.0\.0\.1, .* --insecure"):
        serve(tmp_path, host, 0, 1, print)


def test_the_command_refuses_a_public_address_until_there_is_a_key(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "rewardloop", "serve", "--host", "0.0.0.0", "--port", "0", "--data", str(tmp_path)]
    refused = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "rewardloop keys add" in refused.stderr
    add_key(tmp_path, "shop", "decide")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        assert "0.0.0.0" in process.stdout.readline()
        process.terminate()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    data = tmp_path_factory.mktemp("shared")
    register(data, ARMS)
    add_key(data, "page", "decide")
    with running(data, protection=Protection(cors_origins=(SHOP,))) as started:
        yield started


def test_a_browser_asks_first(shared: Server) -> None:
    asked = {"origin": SHOP, "access-control-request-method": "POST", "access-control-request-headers": "content-type,x-api-key"}
    answer = shared.request("OPTIONS", DECIDE, None, asked)
    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == SHOP
    assert answer.headers["access-control-allow-methods"] == "POST"
    assert {"content-type", "x-api-key"} <= set(answer.headers["access-control-allow-headers"].split(", "))
    assert answer.headers["vary"] == "origin"


@pytest.mark.parametrize("origin", ["https://shop.example.evil", "http://shop.example", "null", "https://other.example", ""])
def test_another_origin_is_told_nothing(shared: Server, origin: str) -> None:
    for method in ("OPTIONS", "POST"):
        answer = shared.request(method, DECIDE, b"{}", {"origin": origin, "content-type": "application/json"})
        assert "access-control-allow-origin" not in answer.headers
        assert answer.headers["vary"] == "origin"


def test_a_page_may_read_refusals_too(shared: Server) -> None:
    answer = shared.request("POST", DECIDE, b"{}", {"origin": SHOP, "content-type": "application/json"})
    assert (answer.status, answer.headers["access-control-allow-origin"]) == (401, SHOP)
    text = shared.request("POST", DECIDE, b"{}", {"origin": SHOP, "content-type": "text/plain"})
    assert (text.status, text.headers["access-control-allow-origin"]) == (415, SHOP)


def test_what_is_not_for_pages_stays_theirs(shared: Server) -> None:
    for path in ("/v1/experiments", "/metrics"):
        assert "access-control-allow-origin" not in shared.request("GET", path, None, {"origin": SHOP}).headers
        assert shared.request("OPTIONS", path, None, {"origin": SHOP}).status == 405


@pytest.mark.parametrize("origin", ["shop.example", "https://shop.example/", "https://", "", "ftp://shop.example"])
def test_what_is_no_origin_is_refused_at_once(tmp_path: Path, origin: str) -> None:
    command = [sys.executable, "-m", "rewardloop", "serve", "--cors-origin", origin, "--data", str(tmp_path)]
    refused = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (refused.returncode, "https://shop.example" in refused.stderr) == (2, True)


def test_too_many_requests_of_one_key_leave_room_for_another(tmp_path: Path) -> None:
    register(tmp_path, ARMS)
    greedy, modest = add_key(tmp_path, "greedy", "decide"), add_key(tmp_path, "modest", "decide")
    with running(tmp_path, protection=Protection(rate_limit=0.0001)) as server:
        answers = [server.request("POST", DECIDE, b'{"context":{}}', greedy.header) for _ in range(3)]
        assert [answer.status for answer in answers] == [200, 429, 429]
        assert 9_000 <= int(answers[1].headers["retry-after"]) <= 10_000
        assert answers[1].json()["type"] == "urn:rewardloop:too-many-requests"
        assert server.request("POST", DECIDE, b'{"context":{}}', modest.header).status == 200
        foreign = server.request("POST", "/endpoints/offers/invocations", b'{"observation":[1]}', greedy.header)
        assert (foreign.status, foreign.headers["x-amzn-errortype"]) == (429, "ThrottlingException")
        strangers = [server.request("POST", DECIDE, b'{"context":{}}').status for _ in range(3)]
        assert strangers == [401, 429, 429], "guessing is limited too"
        assert [server.get("/healthz").status for _ in range(5)] == [200] * 5


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 2 * SECOND)), max_size=60), st.sampled_from([0.5, 1.0, 7.0, 100.0]))
def test_no_caller_gets_more_than_its_rate_and_one_burst(steps: list[tuple[str, int]], per_second: float) -> None:
    limit, now, let_through = RateLimit(per_second), 0, {"a": 0, "b": 0}
    for caller, pause in steps:
        now += pause
        try:
            limit.take(caller, now)
        except TooManyRequests as error:
            assert error.retry_after_seconds >= 1
            limit.take(caller, now + error.retry_after_seconds * SECOND)  # it comes back when it was told to
            return
        let_through[caller] += 1
    assert all(n <= max(2 * per_second, 1) + per_second * now / SECOND + 1 for n in let_through.values())


def test_a_flood_of_addresses_is_forgotten_from_the_oldest() -> None:
    limit = RateLimit(0.001)
    limit.take("first", 0)
    for i in range(MAX_CALLERS):
        limit.take(f"{i}", 0)
    limit.take("first", 0)
    with pytest.raises(TooManyRequests):
        limit.take(f"{MAX_CALLERS - 1}", 0)
