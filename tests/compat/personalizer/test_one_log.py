"""Ranked by Personalizer's SDK, rewarded by whomever: one log, each event trained on once."""

from __future__ import annotations

import json
from pathlib import Path

import boto3
from azure.ai.personalizer import PersonalizerClient
from azure.core.credentials import AzureKeyCredential

from processes import eventually
from rewardloop import Experiment
from rewardloop.settings import Duration, ExperimentSettings, RewardSettings, TrainingSettings
from running_server import Server, register, running

SHOP = ExperimentSettings(experiment="shop", training=TrainingSettings(ratio=1.0))
HASTY = ExperimentSettings(experiment="hasty", reward=RewardSettings(window=Duration(1)))
RANK = {"contextFeatures": [{"age": 31}], "actions": [{"id": each, "features": [{"price": len(each)}]} for each in ("a", "bb")]}


def personalizer(server: Server, name: str = "shop") -> PersonalizerClient:
    return PersonalizerClient(f"http://127.0.0.1:{server.port}/experiments/{name}", AzureKeyCredential("key"))


def test_ranked_here_rewarded_there_and_trained_on_once(tmp_path: Path) -> None:
    register(tmp_path, SHOP)
    keys = {"aws_access_key_id": "AKIDEXAMPLE", "aws_secret_access_key": "secret", "region_name": "eu-west-1"}
    with running(tmp_path) as server, personalizer(server) as client:
        runtime = boto3.client("sagemaker-runtime", endpoint_url=f"http://127.0.0.1:{server.port}", **keys)
        events = [client.rank({**RANK, "eventId": event})["eventId"] for event in ("", "order/17", "", "own")]
        native = server.decide({"context": {"age": 3}, "actions": ["a", "bb"]}, "shop").json()["event_id"]
        reward = json.dumps({"request_type": "reward", "event_id": events[0], "reward": 1.0}).encode()
        runtime.invoke_endpoint(EndpointName="shop", Body=reward, ContentType="application/json")
        runtime.close()
        for event, value in ((events[1], 0.5), (events[0], 0.0)):
            answer = server.post("/v1/rewards", {"event_id": event, "reward": value, "experiment": "shop"})
            assert answer.status == 200
        for event in (*events[2:], native):
            client.reward(event, {"value": -1.0})
    with Experiment.open("shop", tmp_path) as shop:
        rewards = {
            event: reward
            for part in shop.join().interactions()
            for event, reward in zip(part.event_ids, part.reward.tolist(), strict=True)
        }
        assert rewards == {events[0]: 1.0, events[1]: 0.5, events[2]: -1.0, events[3]: -1.0, native: -1.0}
        assert shop.train().n_trained == 5
        assert shop.ledger().rewards_received == 6


def test_a_late_reward_is_kept_and_says_so(tmp_path: Path) -> None:
    register(tmp_path, HASTY)
    with running(tmp_path) as server, personalizer(server, "hasty") as client:
        client.rank({**RANK, "eventId": "late"})
        path = "/personalizer/v1.0/events/late/reward"
        assert eventually(lambda: "late" in server.post(path, {"value": 1}).headers.get("x-rewardloop-note", ""))
        client.reward("late", {"value": 1})
        made = client.rank(RANK)["eventId"]
        path = f"/personalizer/events/{made}/reward?api-version=2022-09-01-preview"
        assert eventually(lambda: "late" in server.post(path, {"value": 1}).headers.get("x-rewardloop-note", ""))
        assert len(server.records("hasty")) >= 3
