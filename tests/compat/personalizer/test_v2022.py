"""The real `azure-ai-personalizer`, blocking and awaited."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from azure.ai.personalizer import PersonalizerClient
from azure.ai.personalizer.aio import PersonalizerClient as AsyncPersonalizerClient
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from rewardloop.events import Decision, Reward
from running_server import Server

ACTIONS = [{"id": f"a{i}", "features": [{"price": float(i)}]} for i in range(4)]
RANK = {"contextFeatures": [{"age": 31}], "actions": ACTIONS}
SLOTS = {
    "contextFeatures": [{"age": 31}],
    "actions": ACTIONS,
    "slots": [
        {"id": "top", "baselineAction": "a0", "features": [{"size": "large"}], "positionFeatures": [{"left": 3}]},
        {"id": "side", "baselineAction": "a1", "excludedActions": ["a3"]},
    ],
}


def endpoint(server: Server) -> str:
    return f"http://127.0.0.1:{server.port}/experiments/shop"


@pytest.fixture
def client(server: Server) -> Iterator[PersonalizerClient]:
    with PersonalizerClient(endpoint(server), AzureKeyCredential("key"), retry_total=0) as made:
        yield made


def test_rank_reward_and_activate(client: PersonalizerClient) -> None:
    answer = client.rank({**RANK, "eventId": "ü / 1", "deferActivation": True, "excludedActions": None})
    assert answer["ranking"][0]["id"] == answer["rewardActionId"]
    client.activate("ü / 1")
    client.reward("ü / 1", {"value": 1})
    assert client.rank({**RANK, "eventId": "ü / 1"}) == answer


def test_slots(client: PersonalizerClient, server: Server) -> None:
    answer = client.rank_multi_slot({**SLOTS, "deferActivation": True})
    chosen = {slot["id"]: slot["rewardActionId"] for slot in answer["slots"]}
    assert list(chosen) == ["top", "side"]
    assert len(set(chosen.values())) == 2
    assert chosen["side"] != "a3"
    event = answer["eventId"]
    client.activate_multi_slot(event)
    client.reward_multi_slot(event, {"reward": [{"slotId": "top", "value": 1.0}, {"slotId": "side", "value": 0.0}]})
    records = [record for record in server.records("shop") if record.event_id == event]
    assert {record.slot: record.reward for record in records if isinstance(record, Reward)} == {"top": 1.0, "side": 0.0}
    decision = next(record for record in records if isinstance(record, Decision))
    assert decision.slots[0].features == b'{"size":"large","left":3}'
    with pytest.raises(HttpResponseError, match="did you mean `top`"):
        client.reward_multi_slot(event, {"reward": [{"slotId": "topp", "value": 1.0}]})
    with pytest.raises(HttpResponseError, match="one reward a slot"):
        client.reward_multi_slot(event, {"reward": [{"slotId": "top", "value": 1.0}] * 2})


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"colour": 1}, "unknown field `colour`"),
        ({"actions": "none"}, r"\$\.actions"),
        ({"actions": [{"id": "x" * 257}]}, r"\$\.actions\[0\]\.id"),
        ({"eventId": "x" * 257}, r"\$\.eventId"),
        ({"actions": [*ACTIONS, ACTIONS[0]]}, "unique action ids"),
    ],
)
def test_a_wrong_rank_says_what_to_change(client: PersonalizerClient, wrong: dict[str, object], message: str) -> None:
    with pytest.raises(HttpResponseError, match=message) as caught:
        client.rank({**RANK, **wrong})
    assert caught.value.status_code == 400
    assert caught.value.error is not None
    assert caught.value.error.code == "BadRequest"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"slots": []}, "1 to 50 slots, got 0"),
        ({"slots": [{"id": f"s{i}", "baselineAction": "a0"} for i in range(51)]}, "1 to 50 slots, got 51"),
        ({"slots": [{"id": "top"}]}, "baselineAction"),
        ({"slots": [{"id": f"s{i}", "baselineAction": "a0"} for i in range(5)]}, "Expected an action for each slot"),
        ({"slots": [{"id": "top", "baselineAction": "b0"}]}, r"Unknown action `b0`.* at `\$.slots\[0\].baselineAction`"),
    ],
)
def test_wrong_slots_say_what_to_change(client: PersonalizerClient, wrong: dict[str, object], message: str) -> None:
    with pytest.raises(HttpResponseError, match=message) as caught:
        client.rank_multi_slot({**SLOTS, **wrong})
    assert caught.value.status_code == 400


def test_what_is_not_known_is_not_found(client: PersonalizerClient, server: Server) -> None:
    with pytest.raises(ResourceNotFoundError, match="rank it first"):
        client.reward("nobody's", {"value": 1})
    with PersonalizerClient(endpoint(server) + "x", AzureKeyCredential("key")) as elsewhere, pytest.raises(ResourceNotFoundError):
        elsewhere.rank(RANK)
    with (
        PersonalizerClient(endpoint(server), AzureKeyCredential("key"), api_version="2021-01-01") as older,
        pytest.raises(HttpResponseError, match="expected 2022-09-01-preview"),
    ):
        older.rank(RANK)


def test_awaited(server: Server) -> None:
    async def play() -> None:
        async with AsyncPersonalizerClient(endpoint(server), AzureKeyCredential("key")) as client:
            answer = await client.rank(RANK)
            await client.reward(answer["eventId"], {"value": 1})
            slots = await client.rank_multi_slot(SLOTS)
            await client.reward_multi_slot(slots["eventId"], {"reward": [{"slotId": "side", "value": 1}]})
            with pytest.raises(ResourceNotFoundError):
                await client.activate("nobody's")

    asyncio.run(play())


def test_versions_in_the_path(server: Server) -> None:
    for version in ("v1.0", "v1.1-preview.1", "v1.1-preview.3"):
        assert server.post(f"/experiments/shop/personalizer/{version}/rank", RANK).status == 201
    answer = server.post("/experiments/shop/personalizer/v2/rank", RANK)
    assert (answer.status, answer.json()["error"]["code"]) == (404, "ResourceNotFound")
    assert server.post("/experiments/shop/personalizer/rank", b"{").json()["error"]["innerError"] == {"code": "malformed-json"}
    assert server.request("POST", "/experiments/shop/personalizer/rank", b"{}", {"content-type": "text/csv"}).status == 415
    assert server.post("/experiments/shop/personalizer/events/x/activate", {"a": 1}).status == 400
