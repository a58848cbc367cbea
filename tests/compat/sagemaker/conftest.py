"""One server for all clients, and boto3 pointed at it by the environment alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from rewardloop.settings import ExperimentSettings, RewardSettings
from running_server import Server, register, running

ARMS = ExperimentSettings(experiment="arms", actions=3, reward=RewardSettings(range=(-1.0, 1.0)))
SHOP = ExperimentSettings(experiment="shop")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Two experiments: `arms` has three, `shop` has actions with features."""
    data: Path = tmp_path_factory.mktemp("sagemaker")
    register(data, ARMS, SHOP)
    with running(data) as started:
        yield started


@pytest.fixture
def aws(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a user sets, and what AWS's SDKs want to see on any machine."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", f"http://127.0.0.1:{server.port}")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{server.port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def runtime(aws: None) -> Iterator[Any]:
    client = boto3.client("sagemaker-runtime")
    yield client
    client.close()
