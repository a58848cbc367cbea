"""One server for both SDKs: `shop` has actions with features, `arms` has three fixed ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rewardloop.settings import ExperimentSettings
from running_server import Server, register, running

SHOP = ExperimentSettings(experiment="shop")
ARMS = ExperimentSettings(experiment="arms", actions=("red", "green", "blue"))


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    data: Path = tmp_path_factory.mktemp("personalizer")
    register(data, SHOP, ARMS)
    with running(data) as started:
        yield started
