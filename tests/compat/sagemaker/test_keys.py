"""The real boto3 with an API key's pair against a server that asks for keys: signatures, scopes, and the exceptions it raises."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from rewardloop.settings import ExperimentSettings, RewardSettings
from running_server import Key, Server, add_key, register, running

ARMS = ExperimentSettings(experiment="arms", actions=3, reward=RewardSettings(range=(-1.0, 1.0)))
OTHERS = ExperimentSettings(experiment="others", actions=2)
Connect = Callable[..., Any]


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, dict[str, Key]]]:
    data = tmp_path_factory.mktemp("signed")
    register(data, ARMS, OTHERS)
    keys = {
        "shop": add_key(data, "shop", "decide", "reward"),
        "arms": add_key(data, "arms", "decide", "reward", experiments=["arms"]),
        "admin": add_key(data, "admin", "admin"),
    }
    with running(data) as server:
        yield server, keys


@pytest.fixture
def connect(keyed: tuple[Server, dict[str, Key]]) -> Iterator[Connect]:
    server, keys = keyed
    made: list[Any] = []

    def client(name: str, service: str = "sagemaker-runtime", secret: str | None = None) -> Any:
        key = keys[name]
        made.append(
            boto3.client(
                service,
                endpoint_url=f"http://127.0.0.1:{server.port}",
                region_name="eu-west-1",
                aws_access_key_id=key.key_id,
                aws_secret_access_key=secret or key.secret_access_key,
                config=Config(retries={"total_max_attempts": 1}),
            )
        )
        return made[-1]

    yield client
    for each in made:
        each.close()


def invoke(client: Any, body: dict[str, Any], name: str = "arms") -> Any:
    answer = client.invoke_endpoint(EndpointName=name, Body=json.dumps(body).encode(), ContentType="application/json")
    return json.loads(answer["Body"].read())


def test_a_signed_decision_and_its_reward(connect: Connect) -> None:
    client = connect("shop")
    event_id = invoke(client, {"observation": [1, 3]})["event_id"]
    assert invoke(client, {"request_type": "reward", "event_id": event_id, "reward": 1})["status"] == "success"


def test_another_secret_is_access_denied(connect: Connect) -> None:
    with pytest.raises(ClientError, match="check the secret access key") as refused:
        invoke(connect("shop", secret="x" * 40), {"observation": [1]})
    assert refused.value.response["Error"]["Code"] == "AccessDeniedException"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_another_experiment_is_access_denied(connect: Connect) -> None:
    client = connect("arms")
    assert invoke(client, {"observation": [1]})["action"] in (1, 2, 3)
    with pytest.raises(ClientError, match="This key is for arms, not for `others`") as refused:
        invoke(client, {"observation": [1]}, "others")
    assert refused.value.response["Error"]["Code"] == "AccessDeniedException"


def test_s3_is_for_admins_and_signed_too(connect: Connect) -> None:
    assert connect("admin", "s3").list_objects_v2(Bucket="rewardloop")["KeyCount"] == 0
    with pytest.raises(ClientError) as missing:
        connect("admin", "s3").head_object(Bucket="rewardloop", Key="arms/joined/job/train/a.csv")
    assert missing.value.response["Error"]["Code"] == "404"
    for key, secret in (("shop", None), ("admin", "x" * 40)):
        with pytest.raises(ClientError) as refused:
            connect(key, "s3", secret).list_objects_v2(Bucket="rewardloop")
        assert refused.value.response["Error"]["Code"] == "AccessDenied"


def test_the_key_itself_is_as_good_as_a_signature(keyed: tuple[Server, dict[str, Key]]) -> None:
    server, keys = keyed
    body = b'{"observation":[1]}'
    assert server.request("POST", "/endpoints/arms/invocations", body, keys["shop"].header).status == 200
    refused = server.request("POST", "/endpoints/arms/invocations", body)
    assert (refused.status, refused.headers["x-amzn-errortype"]) == (403, "AccessDeniedException")
    assert "keys add NAME --aws" in refused.json()["message"]


def test_a_signature_is_no_key_of_the_native_api(keyed: tuple[Server, dict[str, Key]]) -> None:
    server, _ = keyed
    signed = {"authorization": "AWS4-HMAC-SHA256 Credential=x/20200101/r/sagemaker/aws4_request, SignedHeaders=host, Signature=0"}
    assert server.request("POST", "/v1/experiments/arms/decide", b'{"context":{}}', signed).status == 401
