"""The real `azure-cognitiveservices-personalizer`, pointed here by its endpoint alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from azure.cognitiveservices.personalizer import PersonalizerClient
from azure.cognitiveservices.personalizer.models import ErrorResponseException, RankableAction, RankRequest
from msrest.authentication import CognitiveServicesCredentials
from msrest.exceptions import HttpOperationError

from rewardloop.events import Activation, Decision, Reward
from running_server import Server

ODD = "order 17/ä?#%2F"


@pytest.fixture
def client(server: Server) -> Iterator[PersonalizerClient]:
    with PersonalizerClient(f"http://127.0.0.1:{server.port}/experiments/shop", CognitiveServicesCredentials("key")) as made:
        yield made


def request(n: int = 3, **others: object) -> RankRequest:
    actions = [RankableAction(id=f"a{i}", features=[{"price": float(i)}, {"kind": {"of": "x"}}]) for i in range(n)]
    return RankRequest(actions=actions, context_features=[{"age": 31}, {"os": "ios"}], **others)


def test_rank_reward_and_activate(client: PersonalizerClient, server: Server) -> None:
    answer = client.rank(request(event_id=ODD, excluded_actions=["a0"], defer_activation=True))
    assert answer.event_id == ODD
    assert answer.ranking[0].id == answer.reward_action_id
    assert {ranked.id for ranked in answer.ranking} == {"a0", "a1", "a2"}
    assert (answer.ranking[-1].id, answer.ranking[-1].probability) == ("a0", 0.0)
    assert sum(ranked.probability for ranked in answer.ranking) == pytest.approx(1)
    client.events.activate(ODD)
    client.events.reward(ODD, 0.5)
    told = [record for record in server.records("shop") if record.event_id == ODD]
    assert [type(record) for record in told] == [Decision, Activation, Reward]
    decision = told[0]
    assert isinstance(decision, Decision)
    assert (decision.context, decision.deferred, decision.excluded) == (b'{"age":31,"os":"ios"}', True, (0,))
    assert b'{"id":"a1","features":{"price":1.0,"kind":{"of": "x"}}}' in decision.actions


def test_the_same_event_id_gets_the_same_answer(client: PersonalizerClient) -> None:
    answers = {client.rank(request(10, event_id="seeded")).reward_action_id for _ in range(4)}
    others = {client.rank(request(10, event_id=f"seeded {i}")).reward_action_id for i in range(20)}
    assert len(answers) == 1 < len(others)


def test_an_id_is_made_where_none_is_sent(client: PersonalizerClient) -> None:
    answer = client.rank(request())
    client.events.reward(answer.event_id, 1.0)


@pytest.mark.parametrize(
    ("wrong", "message", "target"),
    [
        ({"n": 51}, "Expected 1 to 50 actions, got 51", "$.actions"),
        ({"n": 0}, "Expected 1 to 50 actions, got 0", "$.actions"),
        ({"excluded_actions": ["nothing"]}, "Unknown action `nothing`", "$.excludedActions[0]"),
        ({"excluded_actions": ["a0", "a1", "a2"]}, "at least one action that is not excluded", "$.excludedActions"),
    ],
)
def test_a_wrong_rank_says_what_to_change(client: PersonalizerClient, wrong: dict[str, object], message: str, target: str) -> None:
    with pytest.raises(ErrorResponseException, match="BadRequest") as caught:
        client.rank(request(**wrong))  # type: ignore[arg-type]
    error = caught.value.error.error
    assert (error.code, error.target) == ("BadRequest", target)
    assert message in error.message


def test_ids_that_come_twice_and_context_that_is_none(client: PersonalizerClient) -> None:
    with pytest.raises(ErrorResponseException, match="unique action ids"):
        client.rank(RankRequest(actions=[RankableAction(id="a", features=[])] * 2))
    with pytest.raises(ErrorResponseException, match=r"contextFeatures\[0\]"):
        client.rank(RankRequest(actions=[RankableAction(id="a", features=[])], context_features=[3]))
    with pytest.raises(ErrorResponseException, match=r"contextFeatures\._private"):
        client.rank(RankRequest(actions=[RankableAction(id="a", features=[])], context_features=[{"_private": 3}]))


def test_a_wrong_reward_says_what_to_change(client: PersonalizerClient) -> None:
    event = client.rank(request()).event_id
    with pytest.raises(HttpOperationError) as caught:
        client.events.reward(event, 7.0)
    assert (caught.value.response.status_code, "between -1 and 1, got `7`" in caught.value.response.text) == (400, True)
    for call in (lambda: client.events.reward("nobody", 1.0), lambda: client.events.activate("nobody")):
        with pytest.raises(HttpOperationError) as caught:
            call()
        assert (caught.value.response.status_code, "No event `nobody`" in caught.value.response.text) == (404, True)


def test_an_endpoint_that_is_none(server: Server) -> None:
    key = CognitiveServicesCredentials("key")
    with (
        PersonalizerClient(f"http://127.0.0.1:{server.port}/experiments/shoq", key) as elsewhere,
        pytest.raises(ErrorResponseException, match="did you mean `shop`") as caught,
    ):
        elsewhere.rank(request())
    assert caught.value.error.error.code == "ResourceNotFound"
    with (
        PersonalizerClient(f"http://127.0.0.1:{server.port}", key) as unnamed,
        pytest.raises(ErrorResponseException, match=r"experiments/NAME.*arms, shop"),
    ):
        unnamed.rank(request())


def test_fixed_actions_may_be_named_in_any_order(server: Server) -> None:
    with PersonalizerClient(f"http://127.0.0.1:{server.port}/experiments/arms", CognitiveServicesCredentials("key")) as arms:
        answer = arms.rank(RankRequest(actions=[RankableAction(id=each, features=[]) for each in ("blue", "red")]))
    assert {ranked.id: ranked.probability for ranked in answer.ranking} == {"blue": 0.5, "red": 0.5}
    assert answer.ranking[0].id == answer.reward_action_id
