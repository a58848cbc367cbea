"""Whatever is sent is answered, and never with a failure of ours; the same body means the same however it is spelled."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from rewardloop.actions import parse_actions
from rewardloop.compat.sagemaker import features
from rewardloop.compat.sagemaker.requests import asked, read_json
from rewardloop.errors import InvalidInput
from rewardloop.exchange.joined.rows import observation
from rewardloop.features import parse_context
from running_server import Server

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=3), max_leaves=8
)
keys = ["request_type", "observation", "shared_context", "actions_context", "top_k", "user_id", "event_id", "reward"]
objects = st.dictionaries(st.sampled_from(keys), values | st.sampled_from(["reward", "model_id", 1, 1.0, [[1.0]]]), max_size=5)
bodies = st.binary(max_size=60) | (objects | values).map(lambda value: json.dumps(value).encode())
paths = st.sampled_from(["/endpoints/arms/invocations", "/endpoints/shop/invocations", "/endpoints/%00/invocations"])
types = st.sampled_from(["application/json", "application/jsonlines", "text/csv", "application/octet-stream", "x"])
accepts = st.sampled_from(["*/*", "application/json", "text/csv", "application/jsonlines;q=1, */*", ""])

unhurried = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@unhurried
@given(paths, types, accepts, bodies)
def test_every_body_is_answered(server: Server, path: str, kind: str, accept: str, body: bytes) -> None:
    answer = server.request("POST", path, body, {"content-type": kind, "accept": accept})
    assert answer.status in (200, 204, 400, 415)
    if answer.status in (400, 415):
        assert answer.headers["x-amzn-errortype"] == "ValidationError"
        assert answer.json()["message"]


numbers = st.integers(-(10**6), 10**6) | st.floats(-1e20, 1e20)
lists = st.lists(numbers | st.text(max_size=5) | st.booleans() | st.none(), max_size=12)


@settings(max_examples=200, deadline=None)
@given(lists, st.sampled_from([(",", ":"), (" , ", " : "), (",\n", ":")]))
@example([], (",", ":"))
@example(["a,b", "]", '"'], (",", ":"))
def test_a_list_is_the_features_of_its_positions(observed: list[object], spelled: tuple[str, str]) -> None:
    raw = json.dumps({"observation": observed}, separators=spelled).encode()
    found = parse_context(bytes(asked(read_json(raw)).request.context))
    assert found == {f"observation[{i}]": value for i, value in enumerate(observed) if value is not None}


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(numbers, min_size=1, max_size=5), min_size=1, max_size=5))
def test_actions_keep_their_positions(rows: list[list[float]]) -> None:
    body = read_json(json.dumps({"actions_context": rows}).encode())
    offered = asked(body).offered
    assert offered is not None
    assert offered.ids == tuple(str(i) for i in range(len(rows)))
    assert offered.features == tuple({f"action[{i}]": value for i, value in enumerate(row)} for row in rows)


cells = st.one_of(numbers, st.none(), st.booleans(), st.text(max_size=3), st.lists(numbers, max_size=2))
tables = st.lists(st.lists(cells, max_size=3) | numbers, max_size=4)
even_tables = st.integers(1, 4).flatmap(lambda n: st.lists(st.lists(numbers | st.none(), min_size=n, max_size=n), min_size=1))


@settings(max_examples=300, deadline=None)
@given(tables | even_tables, st.sampled_from([(",", ":"), (" , ", " : "), (",\n", ":")]))
@example([[1, 2], 3], (",", ":"))
@example([[1], 2, [3]], (",", ":"))
@example([[1, [2]], [3]], (",", ":"))
@example([[], [1]], (",", ":"))
@example([[]], (",", ":"))
def test_a_table_of_numbers_means_what_its_rows_do(table: list[object], spelled: tuple[str, str]) -> None:
    raw = json.dumps(table, separators=spelled).encode()
    try:
        one_by_one = parse_actions(features._row_by_row(raw))
    except InvalidInput as error:
        with pytest.raises(type(error)):
            features.offered(raw)
        return
    for found in [features.offered(raw) for _ in range(3)]:  # the third is remembered
        assert (found.ids, found.features) == (one_by_one.ids, one_by_one.features)
        logged = parse_actions(found.raw)
        assert (logged.ids, logged.features) == (found.ids, found.features)


@settings(max_examples=100, deadline=None)
@given(lists)
def test_an_observation_comes_back_as_it_was_sent(observed: list[object]) -> None:
    whole = [value for value in observed if value is not None and not isinstance(value, bool)]
    context = features.context(json.dumps(whole).encode())
    assert observation(parse_context(bytes(context))) == whole


@settings(max_examples=100, deadline=None)
@given(values)
def test_no_context_passes_that_is_not_finite(value: object) -> None:
    try:
        found = parse_context(bytes(features.context(json.dumps(value).encode())))
    except InvalidInput:
        return
    assert all(isinstance(one, str) or math.isfinite(one) for one in found.values())
