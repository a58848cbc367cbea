"""Both SDKs against a server that asks for keys, over HTTP and HTTPS: what each raises for a wrong key, and for none."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from azure.ai.personalizer import PersonalizerAdministrationClient
from azure.ai.personalizer import PersonalizerClient as Client2022
from azure.ai.personalizer.aio import PersonalizerClient as AsyncClient2022
from azure.cognitiveservices.personalizer import PersonalizerClient
from azure.cognitiveservices.personalizer.models import ErrorResponseException, RankableAction, RankRequest
from azure.core.credentials import AccessToken, AzureKeyCredential
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from msrest.authentication import CognitiveServicesCredentials
from msrest.exceptions import HttpOperationError

from certificates import certify
from rewardloop.settings import ExperimentSettings
from running_server import Key, Server, add_key, register, running

BODY = {"contextFeatures": [{"age": 31}], "actions": [{"id": "a"}, {"id": "b"}]}
REQUEST = RankRequest(actions=[RankableAction(id=each, features=[]) for each in ("a", "b")], context_features=[{"age": 31}])


class Secured:
    """A server with TLS, and one without on the same data directory's twin, each with its keys."""

    def __init__(self, server: Server, keys: dict[str, Key], trusted: str | None) -> None:
        self.endpoint = f"{'https' if trusted else 'http'}://127.0.0.1:{server.port}"
        self.keys = {name: key.text for name, key in keys.items()}
        self.trusted = trusted

    def v1(self, key: str) -> PersonalizerClient:
        client = PersonalizerClient(self.endpoint, CognitiveServicesCredentials(key))
        client.config.connection.verify = self.trusted or True
        return client

    def v2022(self, key: str, path: str = "") -> Client2022:
        return Client2022(self.endpoint + path, AzureKeyCredential(key), connection_verify=self.trusted or True, retry_total=0)


@pytest.fixture(scope="module", params=["http", "https"])
def secured(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    data: Path = tmp_path_factory.mktemp(request.param)
    register(data, ExperimentSettings(experiment="shop"), ExperimentSettings(experiment="news"))
    keys = {
        "page": add_key(data, "page", "decide", experiments=["shop"]),
        "backend": add_key(data, "backend", "decide", "reward", experiments=["shop"]),
        "admin": add_key(data, "admin", "admin", experiments=["shop"]),
    }
    protection = certify(data, "shop") if request.param == "https" else None
    with running(data, protection=protection) as server:
        yield Secured(server, keys, str(data / "chain.pem") if protection else None)


def test_a_key_of_one_experiment_needs_no_name_in_the_endpoint(secured: Secured) -> None:
    with secured.v1(secured.keys["backend"]) as client:
        event = client.rank(REQUEST).event_id
        client.events.reward(event, 1.0)
    with secured.v2022(secured.keys["backend"]) as client:
        event = client.rank({**BODY, "eventId": "order 1/ö"})["eventId"]
        client.activate(event)
        client.reward(event, {"value": 1.0})


def test_a_wrong_key_and_none(secured: Secured) -> None:
    with secured.v1("wrong") as client:
        with pytest.raises(ErrorResponseException) as caught:
            client.rank(REQUEST)
        assert caught.value.error.error.code == "401"
        with pytest.raises(HttpOperationError) as refused:
            client.events.reward("x", 1.0)
        assert refused.value.response.status_code == 401
    with secured.v2022("wrong") as wrong, pytest.raises(ClientAuthenticationError, match="key"):
        wrong.rank(BODY)
    with secured.v2022("") as none, pytest.raises(ClientAuthenticationError, match="key"):
        none.rank(BODY)


def test_a_key_that_may_not(secured: Secured) -> None:
    with secured.v2022(secured.keys["page"]) as client:
        event = client.rank(BODY)["eventId"]
        with pytest.raises(HttpResponseError, match="--role reward") as caught:
            client.reward(event, {"value": 1.0})
        assert caught.value.status_code == 403
    with secured.v2022(secured.keys["admin"], "/experiments/news") as elsewhere:
        with pytest.raises(HttpResponseError, match="for shop, not for `news`") as caught:
            elsewhere.rank(BODY)
        assert caught.value.status_code == 403
    for role, may in (("backend", False), ("admin", True)):
        credential = AzureKeyCredential(secured.keys[role])
        with PersonalizerAdministrationClient(secured.endpoint, credential, connection_verify=secured.trusted or True) as client:
            if may:
                assert client.update_policy(client.get_policy())["name"]
            else:
                with pytest.raises(HttpResponseError, match="may not administer"):
                    client.get_policy()


class KeyAsToken:
    """A token credential whose token is a key."""

    def __init__(self, key: str) -> None:
        self._key = key

    def get_token(self, *_: str, **__: object) -> AccessToken:
        return AccessToken(self._key, int(time.time()) + 3_600)


def test_a_token_credential_and_the_awaited_client(secured: Secured) -> None:
    async def ask() -> None:
        credential = AzureKeyCredential(secured.keys["backend"])
        async with AsyncClient2022(secured.endpoint, credential, connection_verify=secured.trusted or True) as client:
            answer = await client.rank(BODY)
            await client.reward(answer["eventId"], {"value": 1})

    asyncio.run(ask())
    if secured.trusted:  # azure-core sends tokens over TLS only
        with Client2022(secured.endpoint, KeyAsToken(secured.keys["backend"]), connection_verify=secured.trusted) as client:
            assert client.rank(BODY)["rewardActionId"] in ("a", "b")
