"""Every kind of bad input: the exact status, a problem document that names the place, and nothing in the log."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator

import pytest

from rewardloop.settings import ExperimentSettings, RewardSettings
from running_server import ARMS, CONTEXT, Answer, Server, register, running

DECIDE = "/v1/experiments/offers/decide"
BATCH = "/v1/experiments/offers/decide/batch"
FREE = "/v1/experiments/articles/decide"
REWARDS = "/v1/rewards"
FOREIGN = "018f0000-0000-7001-8000-000000000001"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    data = tmp_path_factory.mktemp("data")
    bounded = ExperimentSettings(experiment="bounded", actions=2, reward=RewardSettings(range=(0.0, 1.0)))
    register(data, ARMS, ExperimentSettings(experiment="articles"), bounded)
    with running(data) as started:
        yield started


def raw(value: object) -> bytes:
    return value if isinstance(value, bytes) else json.dumps(value).encode()


def context(value: object) -> bytes:
    return b'{"context":' + raw(value) + b"}"


def n_logged(server: Server) -> int:
    return sum(len(server.records(name)) for name in ("offers", "articles", "bounded"))


Refused = tuple[str, object, int, str | None, str]
"""Path, body, status, place, a word of the detail."""

REFUSED: list[Refused] = [
    (DECIDE, b"", 400, "$", "JSON"),
    (DECIDE, b'{"context": {', 400, "$", "JSON"),
    (DECIDE, b"\xff\xfe", 400, "$", "JSON"),
    (DECIDE, b"[" * 100_000, 422, "$", "object"),
    (DECIDE, context(b"[" * 5_000 + b"]" * 5_000), 400, "$", "too many levels"),
    (DECIDE, context(b'{"a":' * 20 + b"1" + b"}" * 20), 422, "$.context" + ".a" * 9, "nesting"),
    (DECIDE, context(b'{"a": NaN}'), 400, "$", "JSON"),
    (DECIDE, context(b'{"a": Infinity}'), 400, "$", "JSON"),
    (DECIDE, context(b'{"a": 1e999}'), 400, "$.context", "range"),
    (DECIDE, context(b'{"a": 1e31}'), 422, "$.context.a", "1e30"),
    (DECIDE, context(b'{"a": "\xff"}'), 400, "$.context", "JSON"),
    (DECIDE, context(b'{"a": "\\ud800"}'), 400, "$", "JSON"),
    (DECIDE, context([1]), 422, "$.context", "object"),
    (DECIDE, context({"_label": 1}), 422, "$.context._label", "begin"),
    (DECIDE, context({"\\u005flabel": 1}).replace(b"\\\\", b"\\"), 422, "$.context._label", "begin"),
    (DECIDE, context({"a": {"_slots": 1}}), 422, "$.context.a._slots", "begin"),
    (DECIDE, context({"": 1}), 422, "$.context.", "empty"),
    (DECIDE, context({"k" * 257: 1}), 422, "$.context." + "k" * 40, "256"),
    (DECIDE, context({f"k{i}": 1 for i in range(10_001)}), 422, "$.context", "10000"),
    (DECIDE, {}, 422, "$", "context"),
    (DECIDE, {**CONTEXT, "contex": 1}, 422, "$", "did you mean `context`"),
    (DECIDE, {**CONTEXT, "event_id": ""}, 422, "$.event_id", "length"),
    (DECIDE, {**CONTEXT, "event_id": "x" * 257}, 422, "$.event_id", "length"),
    (DECIDE, {**CONTEXT, "event_id": 7}, 422, "$.event_id", "str"),
    (DECIDE, {**CONTEXT, "explore": 1}, 422, "$.explore", "bool"),
    (DECIDE, {**CONTEXT, "excluded": ["gren"]}, 422, "$.excluded[0]", "did you mean `green`"),
    (DECIDE, {**CONTEXT, "excluded": ["red", "green", "blue"]}, 422, "$.excluded", "none"),
    (DECIDE, {**CONTEXT, "actions": ["red", "grey"]}, 422, "$.actions[1]", "grey"),
    (DECIDE, {**CONTEXT, "actions": [{"id": "red", "features": {"a": 1}}]}, 422, "$.actions", "features"),
    (FREE, CONTEXT, 422, "$", "actions"),
    (FREE, {**CONTEXT, "actions": None}, 422, "$.actions", "array"),
    (FREE, {**CONTEXT, "actions": []}, 422, "$.actions", "1 to 1000"),
    (FREE, {**CONTEXT, "actions": [str(i) for i in range(10_001)]}, 422, "$.actions", "10000"),
    (FREE, {**CONTEXT, "actions": ["a", "b", "a"]}, 422, "$.actions[2]", "twice"),
    (FREE, {**CONTEXT, "actions": ["a", 1]}, 422, "$.actions[1]", "id"),
    (FREE, {**CONTEXT, "actions": [{"id": "a", "feature": {}}]}, 422, "$.actions[0]", "did you mean `features`"),
    (FREE, {**CONTEXT, "actions": [{"id": "a", "features": {"_x": 1}}]}, 422, "$.actions[0].features._x", "begin"),
    ("/v1/experiments/ofers/decide", CONTEXT, 404, None, "did you mean `offers`"),
    (BATCH, {"requests": []}, 422, "$.requests", "length"),
    (BATCH, {"requests": [CONTEXT] * 1_001}, 422, "$.requests", "length"),
    (BATCH, {"requests": [CONTEXT, {"context": {"_a": 1}}]}, 422, "$.requests[1].context._a", "begin"),
    (BATCH, {"requests": [CONTEXT, CONTEXT, {}]}, 422, "$.requests[2]", "context"),
    (REWARDS, {"event_id": "e", "reward": 1}, 404, "$.event_id", "Event id `e` was not made here; name its experiment"),
    (REWARDS, {"event_id": FOREIGN, "reward": 1}, 404, "$.event_id", "not made here"),
    (REWARDS, {"event_id": "e", "reward": 1, "experiment": "offer"}, 404, "$.experiment", "did you mean `offers`"),
    (REWARDS, {"event_id": "e", "reward": True, "experiment": "offers"}, 422, "$.reward", "bool"),
    (REWARDS, {"event_id": "e", "reward": "1", "experiment": "offers"}, 422, "$.reward", "str"),
    (REWARDS, {"event_id": "e", "experiment": "offers"}, 422, "$", "reward"),
    (REWARDS, b'{"event_id": "e", "reward": NaN, "experiment": "offers"}', 400, "$", "JSON"),
    (REWARDS, b'{"event_id": "e", "reward": 1e999, "experiment": "offers"}', 422, "$.reward", "range"),
    (REWARDS, {"event_id": "e", "reward": 1e31, "experiment": "offers"}, 422, "$.reward", "finite"),
    (REWARDS, {"event_id": "e", "reward": 1.5, "experiment": "bounded"}, 422, "$.reward", "between 0 and 1"),
    (REWARDS, {"rewards": []}, 422, "$.rewards", "length"),
    ("/v1/events/e/activate", b"", 404, "$.event_id", "not made here"),
    ("/v1/events/e/activate", {"experiment": "nope"}, 404, "$.experiment", "nope"),
    (f"/v1/events/{'x' * 257}/activate", {"experiment": "offers"}, 422, "event_id", "256"),
]


@pytest.mark.parametrize("refused", REFUSED)
def test_bad_input_is_refused_at_its_place_and_not_logged(server: Server, refused: Refused) -> None:
    path, body, status, place, word = refused
    before = n_logged(server)
    answer = server.post(path, raw(body))
    problem = answer.json()
    assert (answer.status, problem.get("at")) == (status, place), problem
    assert word in problem["detail"]
    assert_problem(answer)
    assert n_logged(server) == before


def assert_problem(answer: Answer) -> None:
    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert {"type", "title", "status", "detail"} <= set(problem)
    assert problem["status"] == answer.status


def test_one_bad_reward_of_many_and_none_is_recorded(server: Server) -> None:
    good = {"event_id": "e", "experiment": "offers", "reward": 1}
    before = n_logged(server)
    for bad, place in (
        ({**good, "reward": "x"}, "$.rewards[3].reward"),
        ({"event_id": "e", "experiment": "bounded", "reward": -1}, "$.rewards[3].reward"),
        ({"event_id": "nobody", "reward": 1}, "$.rewards[3].event_id"),
    ):
        answer = server.post(REWARDS, {"rewards": [good, good, good, bad]})
        assert answer.json()["at"] == place
    assert n_logged(server) == before


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/v1/experiments/", 404),
        ("GET", "/v1/experiments/nope", 404),
        ("GET", "/v1/experiments/nope/models", 404),
        ("POST", "/healthz", 405),
        ("GET", DECIDE, 405),
    ],
)
def test_wrong_paths_and_methods(server: Server, method: str, path: str, status: int) -> None:
    answer = server.request(method, path)
    assert answer.status == status
    assert_problem(answer)


@pytest.mark.parametrize("headers", [{"content-type": "text/plain"}, {"content-encoding": "gzip"}])
def test_a_body_that_is_not_json(server: Server, headers: dict[str, str]) -> None:
    answer = server.request("POST", DECIDE, raw(CONTEXT), headers)
    assert answer.status == 415
    assert_problem(answer)


def test_no_content_type_is_as_good_as_json(server: Server) -> None:
    assert server.request("POST", DECIDE, raw(CONTEXT)).status == 200


@pytest.mark.parametrize("name", ["größe", "年齢", "\U0001f600", "a b", "a:1|b"])
def test_any_other_name_is_welcome(server: Server, name: str) -> None:
    assert server.decide({"context": {name: 1, f"{name}2": name, "nested": {name: [1, 2]}}}).status == 200
    assert server.post(FREE, {"context": {}, "actions": [name, f"{name}!"]}).json()["action"].startswith(name)


@pytest.mark.parametrize(("path", "limit"), [(DECIDE, 4 << 20), (BATCH, 4 << 20), (REWARDS, 4 << 20)])
def test_too_large_a_body_is_refused_before_it_was_sent(server: Server, path: str, limit: int) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(f"POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {limit + 1}\r\n\r\n".encode())
        assert connection.recv(12) == b"HTTP/1.1 413"


def test_too_large_a_stream_is_refused_on_the_way(server: Server) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    before = n_logged(server)
    connection.putrequest("POST", DECIDE)
    connection.putheader("transfer-encoding", "chunked")
    connection.endheaders()
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    for _ in range(65):
        connection.send(chunk)
    response = connection.getresponse()
    assert (response.status, response.getheader("connection")) == (413, "close")
    connection.close()
    assert n_logged(server) == before


def test_a_body_in_small_pieces_is_read(server: Server) -> None:
    body = raw(CONTEXT)
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(f"POST {DECIDE} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {len(body)}\r\n\r\n".encode())
        for i in range(len(body)):
            connection.sendall(body[i : i + 1])
        assert connection.recv(12) == b"HTTP/1.1 200"


def test_a_client_that_leaves_in_the_middle_does_no_harm(server: Server) -> None:
    for _ in range(50):
        with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
            connection.sendall(f"POST {DECIDE} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n{{".encode())
    assert server.decide().status == 200
    assert "failed" not in (server.data / "stderr.txt").read_text()


def test_garbage_on_the_wire_is_refused(server: Server) -> None:
    for garbage in (b"\x16\x03\x01\x02\x00", b"GET / HTTP/9.9\r\n\r\n", b"POST / HTTP/1.1\r\ncontent-length: -1\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
            connection.sendall(garbage)
            assert connection.recv(12) == b"HTTP/1.1 400"
    assert server.decide().status == 200
