"""One log behind both dialects: what is decided through one is rewarded through the other, and trained on once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import boto3
import pytest

from processes import eventually
from rewardloop import Experiment
from rewardloop.compat.sagemaker.replies import refuse_at_endpoint
from rewardloop.errors import Overloaded
from rewardloop.settings import Duration, ExperimentSettings, RewardSettings, TrainingSettings
from running_server import Server, publish, register, running

SETTINGS = ExperimentSettings(experiment="offers", actions=("red", "green", "blue"), training=TrainingSettings(ratio=1.0))
HASTY = ExperimentSettings(experiment="hasty", actions=2, reward=RewardSettings(window=Duration(1)))


def client(server: Server) -> Any:
    keys = {"aws_access_key_id": "AKIDEXAMPLE", "aws_secret_access_key": "secret", "region_name": "eu-west-1"}
    return boto3.client("sagemaker-runtime", endpoint_url=f"http://127.0.0.1:{server.port}", **keys)


def invoke(runtime: Any, body: object, name: str = "offers") -> Any:
    answer = runtime.invoke_endpoint(EndpointName=name, Body=json.dumps(body).encode(), ContentType="application/json")
    return json.loads(answer["Body"].read())


def test_decided_here_rewarded_there_and_trained_on_once(tmp_path: Path) -> None:
    register(tmp_path, SETTINGS)
    with running(tmp_path) as server:
        runtime = client(server)
        natively = server.decide({"context": {"observation[0]": 1.0}}).json()
        own = server.decide({"context": {"observation[0]": 2.0}, "event_id": "order/17 ä"}).json()
        theirs = [invoke(runtime, {"observation": [float(i)]}) for i in range(3)]
        for event in (natively["event_id"], own["event_id"], theirs[0]["event_id"]):
            told = invoke(runtime, {"request_type": "reward", "event_id": event, "reward": 1.0})
            assert told == {"status": "success"}
        for event in (theirs[1]["event_id"], theirs[0]["event_id"]):
            assert server.post("/v1/rewards", {"event_id": event, "reward": 0.0}).status == 200
        runtime.close()
    with Experiment.open("offers", tmp_path) as offers:
        data = offers.join()
        rewards = {
            event: reward
            for part in data.interactions()
            for event, reward in zip(part.event_ids, part.reward.tolist(), strict=True)
        }
        assert rewards == {
            natively["event_id"]: 1.0, "order/17 ä": 1.0, theirs[0]["event_id"]: 1.0, theirs[1]["event_id"]: 0.0,
        }  # fmt: skip
        assert offers.train().n_trained == 4
        assert offers.ledger().rewards_received == 5


def test_a_late_reward_says_so_and_is_kept(tmp_path: Path) -> None:
    register(tmp_path, HASTY)
    with running(tmp_path) as server:
        runtime = client(server)
        event = invoke(runtime, {"observation": [1.0]}, "hasty")["event_id"]
        reward = {"request_type": "reward", "event_id": event, "reward": 1.0}
        assert eventually(lambda: invoke(runtime, reward, "hasty")["status"] == "late")
        runtime.close()
        assert server.records("hasty")


def test_ping_and_the_container(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        assert server.get("/ping").status == 503
        answer = server.post("/invocations", {"observation": [1]})
        assert (answer.status, "none is served" in answer.json()["error"]) == (400, True)
        register(tmp_path, SETTINGS)
        assert eventually(lambda: server.get("/ping").status == 200)
        assert server.post("/invocations", [1.0]).json()["action"] in (1, 2, 3)
        register(tmp_path, HASTY)
        assert eventually(lambda: server.post("/invocations", [1.0]).status == 400)
        answer = server.request("POST", "/invocations", b"[1.0]", {"x-rewardloop-experiment": "hasty"})
        assert answer.json()["model_id"] == "hasty.0"
        assert server.get("/execution-parameters").json() == {
            "MaxConcurrentTransforms": 64, "BatchStrategy": "MULTI_RECORD", "MaxPayloadInMB": 6,
        }  # fmt: skip
        assert server.request("POST", "/invocations", b"1", {"content-type": "image/png"}).status == 415


def test_a_model_that_cannot_be_loaded_is_a_model_error(tmp_path: Path) -> None:
    register(tmp_path, SETTINGS)
    publish(tmp_path, 1, SETTINGS, golden_pmf=(0.5, 0.25, 0.25))
    with running(tmp_path) as server:
        runtime = client(server)
        with pytest.raises(runtime.exceptions.ModelError, match="could be loaded") as caught:
            invoke(runtime, {"observation": [1.0]})
        assert caught.value.response["OriginalStatusCode"] == 500
        assert "offers.1" in caught.value.response["OriginalMessage"]
        runtime.close()
        assert server.get("/ping").status == 503
        assert server.post("/invocations", {"observation": [1.0]}).status == 500


def test_too_much_at_once_asks_to_come_back() -> None:
    reply = refuse_at_endpoint(Overloaded("1025 requests are in flight"))
    assert (reply.status, dict(reply.headers)[b"x-amzn-errortype"]) == (503, b"ServiceUnavailable")
