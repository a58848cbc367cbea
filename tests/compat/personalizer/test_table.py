"""The page's table has every operation of both SDKs: what the packages themselves list."""

from __future__ import annotations

from pathlib import Path

import pytest
from azure.ai.personalizer import PersonalizerAdministrationClient, PersonalizerClient, aio
from azure.cognitiveservices.personalizer import PersonalizerClient as FirstClient
from azure.cognitiveservices.personalizer.operations import EventsOperations

PAGE = (Path(__file__).parents[3] / "docs" / "personalizer.md").read_text()
TABLE = PAGE.partition("## Every operation")[2].partition("### ")[0]


@pytest.mark.parametrize(
    "client",
    [PersonalizerClient, PersonalizerAdministrationClient, aio.PersonalizerClient, aio.PersonalizerAdministrationClient],
)
def test_every_method_of_the_2022_sdk_has_a_row(client: type) -> None:
    methods = [name for name in dir(client) if not name.startswith("_")]
    assert len(methods) > 7
    assert [name for name in methods if f"`{name}`" not in TABLE] == []


def test_every_operation_of_the_first_sdk_has_a_row() -> None:
    calls = [*vars(FirstClient).values(), *vars(EventsOperations).values()]
    paths = [call.metadata["url"] for call in calls if hasattr(call, "metadata")]
    assert len(paths) == 3
    assert [path for path in paths if f"`POST {path}`" not in TABLE] == []
