"""Both clients against the real server."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

import running_server as servers
from rewardloop import AsyncClient, Client, ExperimentSettings
from rewardloop.client import RequestRefused
from rewardloop.errors import InvalidInput
from rewardloop.events import Activation, Decision, Reward
from rewardloop.settings import RewardSettings

OFFERS = ExperimentSettings(experiment="offers", actions=("red", "green"), reward=RewardSettings(range=(0.0, 1.0)))
ITEMS = ExperimentSettings(experiment="items")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Server]:
    data: Path = tmp_path_factory.mktemp("data")
    servers.register(data, OFFERS)
    servers.register(data, ITEMS)
    with servers.running(data) as running:
        yield running


def url(server: servers.Server) -> str:
    return f"http://127.0.0.1:{server.port}"


def logged(server: servers.Server, event_id: str) -> list[type]:
    records = servers.logged(server.data, "offers") + servers.logged(server.data, "items")
    return [type(record) for record in records if record.event_id == event_id]


def test_decide_reward_and_activate(server: servers.Server) -> None:
    with Client(url(server), "offers") as client:
        decided = client.decide({"age": 31})
        client.reward(decided.event_id, 1.0, reward_id="click-1", final=True, metrics={"ms": 80, "cost": 1.2})
        client.activate(decided.event_id)
    assert (decided.action, decided.probability) == (("red", "green")[decided.index], 0.5)
    assert sorted(logged(server, decided.event_id), key=str) == sorted([Decision, Reward, Activation], key=str)


def test_a_sticky_key_is_sent_and_logged_by_both_clients(server: servers.Server) -> None:
    async def asked() -> str:
        async with AsyncClient(url(server), "offers") as client:
            return (await client.decide({"age": 31}, sticky="user-17")).event_id

    with Client(url(server), "offers") as client:
        ids = {client.decide({"age": 31}, sticky="user-17").event_id, asyncio.run(asked())}
        with pytest.raises(RequestRefused, match=r"sticky") as refused:
            client.decide({"age": 31}, sticky="x" * 257)
    keys = [record.sticky for record in servers.logged(server.data, "offers") if record.event_id in ids]  # type: ignore[union-attr]
    assert (keys, refused.value.status) == (["user-17", "user-17"], 422)


def test_an_own_event_id_with_a_slash_and_actions_with_features(server: servers.Server) -> None:
    with Client(url(server), "items") as client:
        decided = client.decide({"age": 31}, [{"id": "a", "features": {"price": 3}}, {"id": "b"}], event_id="bestellung/ü 17")
        client.reward(decided.event_id, 0.5)
        client.activate(decided.event_id)
    assert decided.event_id == "bestellung/ü 17"
    assert len(logged(server, decided.event_id)) == 3


def test_many_at_once(server: servers.Server) -> None:
    with Client(url(server), "offers") as client:
        decided = client.decide_many([{"age": age} for age in range(5)])
        client.reward_many([(answer.event_id, 1.0) for answer in decided])
    assert len({answer.event_id for answer in decided}) == 5
    assert all(logged(server, answer.event_id) == [Decision, Reward] for answer in decided)


def test_a_catalogue_is_sent_once_for_many(server: servers.Server) -> None:
    with Client(url(server), "items") as client:
        decided = client.decide_many([{"age": 1}, {"age": 2}], [{"id": "a", "features": {"price": 3}}, {"id": "b"}])
        with pytest.raises(RequestRefused, match="has no fixed ones"):
            client.decide_many([{"age": 1}])
    assert {answer.action for answer in decided} <= {"a", "b"}


def test_a_refusal_carries_the_sentence_of_the_server(server: servers.Server) -> None:
    with Client(url(server), "offers") as client:
        decided = client.decide({"age": 31})
        with pytest.raises(RequestRefused, match="between 0 and 1") as refused:
            client.reward(decided.event_id, 7.0)
    assert refused.value.status == 422


def test_an_unknown_experiment(server: servers.Server) -> None:
    with Client(url(server), "offerz") as client, pytest.raises(RequestRefused, match="did you mean `offers`"):
        client.decide({})


def test_awaited(server: servers.Server) -> None:
    async def go() -> str:
        async with AsyncClient(url(server), "offers") as client:
            first, *_ = await client.decide_many([{"age": 31}, {"age": 32}])
            other = await client.decide({"age": 33}, event_id="awaited")
            await client.reward_many([(first.event_id, 1.0)])
            await client.reward(other.event_id, 0.0)
            await client.activate(other.event_id)
            with pytest.raises(RequestRefused):
                await client.reward(other.event_id, -1.0)
            return other.event_id

    assert len(logged(server, asyncio.run(go()))) == 3


@pytest.mark.parametrize("key", ["rl_…", "rl_1\n", "rl 1"])
def test_a_key_that_no_header_can_carry_is_said_to_be_none(key: str) -> None:
    with pytest.raises(InvalidInput, match="as `rewardloop keys add` showed it"):
        Client("http://127.0.0.1:1", "offers", api_key=key)
