"""The short way and uvicorn's own way through the protocol give the same answers, in the order of the requests."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from itertools import accumulate, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rewardloop.serving.head_limit import MAX_HEAD, HeadLimit
from rewardloop.serving.heads import MAX_BYTES, MAX_HEADS, Head, Heads
from rewardloop.serving.routes import ROUTES, Router
from running_server import ARMS, CONTEXT, Server, register, running

BODY = json.dumps({**CONTEXT, "event_id": "e"}).encode()
SHORT = b"POST /v1/experiments/offers/decide HTTP/1.1\r\nhost: localhost\r\ncontent-length: %d\r\n\r\n%b" % (len(BODY), BODY)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    data = tmp_path_factory.mktemp("data")
    register(data, ARMS)
    with running(data) as started:
        yield started


def request(event_id: str, headers: bytes = b"", version: bytes = b"1.1", query: bytes = b"") -> bytes:
    body = json.dumps({**CONTEXT, "event_id": event_id}).encode()
    path = b"/v1/experiments/offers/decide" + query
    return b"POST %b HTTP/%b\r\nhost: localhost\r\n%bcontent-length: %d\r\n\r\n%b" % (path, version, headers, len(body), body)


def answers(server: Server, sent: bytes, n: int) -> list[tuple[bytes, dict[bytes, bytes], bytes]]:
    """(status line, headers, body) of n responses to what is sent at once."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(sent)
        stream = connection.makefile("rb")
        return [read(stream) for _ in range(n)]


def read(stream: socket.SocketIO) -> tuple[bytes, dict[bytes, bytes], bytes]:  # type: ignore[type-arg]
    status = stream.readline().strip()
    headers = {}
    while line := stream.readline().strip():
        name, value = line.split(b": ", 1)
        headers[name] = value
    return status, headers, stream.read(int(headers[b"content-length"]))


@pytest.mark.parametrize(
    "other",
    [
        request("e", query=b"?x=1"),
        request("e", headers=b"connection: keep-alive\r\n"),
        b"POST /v1/experiments/offers/decide HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n"
        % (len(BODY), BODY),
    ],
)
def test_both_ways_answer_alike(server: Server, other: bytes) -> None:
    [short] = answers(server, SHORT, 1)
    assert answers(server, other, 1) == [short]
    assert short[0] == b"HTTP/1.1 200 OK"


def test_a_client_that_expects_to_be_asked_is_asked(server: Server) -> None:
    asked, answered = request("e", headers=b"expect: 100-continue\r\n").split(b"\r\n\r\n", 1)
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(asked + b"\r\n\r\n")
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(answered)
        assert connection.recv(100).startswith(b"HTTP/1.1 200 OK")


@pytest.mark.parametrize("protocol", [b"h2c", b"websocket"])
@pytest.mark.parametrize("pieces", [1, 3, 10_000])
def test_an_offer_of_another_protocol_is_passed_over(server: Server, protocol: bytes, pieces: int) -> None:
    """Java's own client makes one with every request of a new connection, and sends the body with it."""
    offer = b"connection: Upgrade, HTTP2-Settings\r\nhttp2-settings: AAEAAEAAAAIAAAAB\r\nupgrade: %b\r\n" % protocol
    sent = request("e", headers=offer) + SHORT + b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n%b\r\n" % offer + SHORT
    [short] = answers(server, SHORT, 1)
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        for begin in range(0, len(sent), step := -(-len(sent) // pieces)):
            connection.sendall(sent[begin : begin + step])
        stream = connection.makefile("rb")
        found = [read(stream) for _ in range(4)]
    assert [found[0], found[1], found[3]] == [short] * 3
    assert found[2][2] == b'{"status":"ok"}'


@pytest.mark.parametrize(
    "sent", [b"\x16\x03\x01\x02\x00", b"CONNECT a:1 HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n"]
)
def test_what_is_no_request_of_this_protocol_is_a_problem_document(server: Server, sent: bytes) -> None:
    [(status, headers, body)] = answers(server, sent, 1)
    assert (status, headers[b"content-type"], headers[b"connection"]) == (
        b"HTTP/1.1 400 Bad Request",
        b"application/problem+json",
        b"close",
    )
    assert json.loads(body)["detail"] == "Expected a request in HTTP/1.1 or HTTP/1.0, got something else"


@pytest.mark.parametrize("other", [request("e", headers=b"connection: close\r\n"), request("e", version=b"1.0")])
def test_who_wants_the_connection_closed_gets_it_closed(server: Server, other: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(other)
        received = b"".join(iter(lambda: connection.recv(65_536), b""))
    assert received.startswith(b"HTTP/1.1 200 OK")


def test_pipelined_requests_of_both_kinds_are_answered_in_order(server: Server) -> None:
    kinds = [b"", b"connection: keep-alive\r\n"]
    sent = b"".join(request(f"p{i}", headers=kinds[i % 3 == 1]) for i in range(30))
    ids = [json.loads(body)["event_id"] for _, _, body in answers(server, sent, 30)]
    assert ids == [f"p{i}" for i in range(30)]


@settings(max_examples=8, deadline=None)
@given(st.lists(st.sampled_from([b"", b"", b"connection: keep-alive\r\n", b"x-trace: 1\r\n"]), min_size=2, max_size=12), st.data())
def test_requests_are_answered_alike_wherever_they_are_cut(server: Server, kinds: list[bytes], data: st.DataObject) -> None:
    """Most have a head that came before: whole, alone, in pieces, with the next one's beginning."""
    requests = [request(f"c{i:02}", headers=kind) for i, kind in enumerate(kinds)]
    sent, ends = b"".join(requests), list(accumulate(map(len, requests)))
    cuts = data.draw(st.sets(st.one_of(st.sampled_from(ends), st.integers(0, len(sent))), max_size=12))
    cuts = sorted(cuts | {0, len(sent)})
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for low, high in pairwise(cuts):
            connection.sendall(sent[low:high])
            time.sleep(0.002)
        stream = connection.makefile("rb")
        answered = [read(stream) for _ in kinds]
    assert {status for status, _, _ in answered} == {b"HTTP/1.1 200 OK"}
    assert [json.loads(body)["event_id"] for _, _, body in answered] == [f"c{i:02}" for i in range(len(kinds))]


def test_a_head_that_came_before_says_nothing_of_the_next_body(server: Server) -> None:
    broken = SHORT[: -len(BODY)] + b"x" * len(BODY)
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        stream = connection.makefile("rb")
        statuses = []
        for sent in (SHORT, SHORT, broken, SHORT):
            connection.sendall(sent)
            statuses.append(read(stream)[0])
    assert [int(status.split()[1]) for status in statuses] == [200, 200, 400, 200]


def test_heads_are_remembered_within_bounds() -> None:
    match = Router(ROUTES).find(b"/v1/rewards")
    assert match is not None
    head, heads = Head(match.routes["POST"], match, (b"/v1/rewards", b""), [], 2), Heads()
    for i in range(MAX_HEADS + 1):
        heads.remember(b"%d" % i, head)
    heads.remember(b"x" * (MAX_BYTES + 1), head)
    assert heads.find(b"%d" % MAX_HEADS) is head
    assert [heads.find(raw) for raw in (b"0", b"x" * (MAX_BYTES + 1))] == [None, None]


def test_a_large_body_arrives_whole(server: Server) -> None:
    many = {"requests": [{"context": {f"feature_{i}": i for i in range(100)}}] * 1_000}
    assert len(json.dumps(many)) > 1 << 20
    answer = server.post("/v1/experiments/offers/decide/batch", many)
    assert (answer.status, len(answer.json()["decisions"])) == (200, 1_000)


def test_a_response_that_nobody_reads_holds_nothing_up(server: Server) -> None:
    batch = json.dumps({"requests": [CONTEXT] * 1_000}).encode()
    head = b"POST /v1/experiments/offers/decide/batch HTTP/1.1\r\nhost: localhost\r\ncontent-length: %d\r\n\r\n" % len(batch)
    with socket.create_connection(("127.0.0.1", server.port), timeout=1) as deaf:
        with pytest.raises(TimeoutError):
            deaf.sendall((head + batch) * 1_000)
        assert server.decide().status == 200


@pytest.mark.parametrize(
    "head",
    [
        b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nx: " + b"a" * MAX_HEAD,
        b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n" + b"x: y\r\n" * 20_000,
        b"GET /" + b"a" * MAX_HEAD,
        request("e", headers=b"x: " + b"a" * MAX_HEAD + b"\r\n"),
    ],
    ids=["one header", "many headers", "path", "whole"],
)
def test_a_head_without_end_is_refused_and_not_kept(server: Server, head: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection, connection.makefile("rb") as stream:
        for start in range(0, len(head), 10_000):
            try:
                connection.sendall(head[start : start + 10_000])
            except OSError:
                break
        status, headers, body = read(stream)
        assert status == b"HTTP/1.1 431 Request Header Fields Too Large"
        assert (headers[b"connection"], json.loads(body)["status"]) == (b"close", 431)


def test_the_second_head_of_a_connection_ends_too(server: Server) -> None:
    """Whoever goes on sending meets a reset, which may take the answer that says why with it."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection, connection.makefile("rb") as stream:
        connection.sendall(SHORT + b"GET /healthz HTTP/1.1\r\nx: ")
        assert read(stream)[0] == b"HTTP/1.1 200 OK"
        with pytest.raises(OSError, match=r"reset|pipe"):
            connection.sendall(b"a" * 100 * MAX_HEAD)


def test_a_large_head_that_is_within_bounds_is_served_however_it_is_cut(server: Server) -> None:
    sent = request("e", headers=b"x: " + b"a" * 60_000 + b"\r\n") * 3
    assert [status for status, _, _ in answers(server, sent, 3)] == [b"HTTP/1.1 200 OK"] * 3


def test_a_head_that_only_trickles_in_lingers() -> None:
    limit = HeadLimit()
    assert not limit.lingers()
    limit.went_by(b"GET / HT")
    assert [limit.lingers(), limit.lingers()] == [False, True]
    limit.ended()
    limit.begins()
    limit.went_by(b"the end of a body, and of the next head perhaps a part")
    assert [limit.lingers(), limit.lingers()] == [False, False]


@given(st.binary(max_size=300), st.integers(0, 190) | st.integers(201, 400), st.data())
def test_a_head_is_measured_alike_wherever_it_is_cut(body: bytes, spare: int, data: st.DataObject) -> None:
    sent = b"x" * (MAX_HEAD - 200 + spare) + b"\r\n\r\n" + body
    cuts = sorted(data.draw(st.lists(st.integers(MAX_HEAD - 250, len(sent)), max_size=5)))
    limit, exceeded = HeadLimit(), False
    for start, end in pairwise([0, *cuts, len(sent)]):
        exceeded = exceeded or limit.exceeded(sent[start:end])
        limit.went_by(sent[start:end])
        if end >= MAX_HEAD - 200 + spare + 4:
            break
    assert exceeded == (spare > 200)
