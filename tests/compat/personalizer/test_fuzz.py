"""Whatever is sent is answered, in words that the SDKs understand, and never with a failure of ours."""

from __future__ import annotations

import json
from urllib.parse import quote

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rewardloop.actions import parse_actions
from rewardloop.compat.personalizer.requests import read_rank, read_slots
from rewardloop.errors import InvalidInput
from rewardloop.features import parse_context
from running_server import Server

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=3), max_leaves=8
)
features = st.lists(st.dictionaries(st.text(max_size=4), scalars, max_size=3), max_size=3)
actions = st.lists(st.fixed_dictionaries({"id": st.text(max_size=4)}, optional={"features": features | values}), max_size=4)
slots = st.lists(
    st.fixed_dictionaries({"id": st.text(max_size=3), "baselineAction": st.text(max_size=3)}, optional={"features": features}),
    max_size=3,
)
objects = st.fixed_dictionaries(
    {},
    optional={
        "contextFeatures": features | values, "actions": actions | values, "slots": slots | values, "excludedActions": values,
        "eventId": scalars, "deferActivation": scalars, "value": scalars, "reward": values, "name": scalars, "arguments": scalars,
    },
)  # fmt: skip
bodies = st.binary(max_size=40) | (objects | values).map(lambda value: json.dumps(value).encode())
paths = st.sampled_from(["rank", "multislot/rank", "events/{}/reward", "multislot/events/{}/reward", "events/{}/activate"])
versions = st.sampled_from(["", "v1.0/", "v1.1-preview.2/", "v9/"])


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(paths, versions, st.text(max_size=6), bodies)
def test_every_body_is_answered(server: Server, path: str, version: str, event: str, body: bytes) -> None:
    place = f"/experiments/shop/personalizer/{version}{path.format(quote(event, safe='') or 'e')}"
    answer = server.request("POST", place, body, {"content-type": "application/json"})
    assert answer.status in (201, 204, 400, 404)
    if answer.status in (400, 404):
        error = answer.json()["error"]
        assert error["code"] in ("BadRequest", "ResourceNotFound")
        assert error["message"]


@settings(max_examples=200, deadline=None)
@given(objects)
def test_what_is_read_is_a_request(body: dict[str, object]) -> None:
    raw = json.dumps({key: body[key] for key in body if key in ("contextFeatures", "actions", "excludedActions")}).encode()
    for read in (lambda: read_rank(raw)[1], lambda: read_slots(raw)):
        try:
            request = read()
            parse_context(bytes(request.context))
            parse_actions(bytes(request.actions))  # type: ignore[arg-type]  # they are there
        except InvalidInput as error:
            assert str(error)
