"""Service configuration and policy, changed by the real SDK while the server and the loop run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from azure.ai.personalizer import PersonalizerAdministrationClient, PersonalizerClient
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import HttpResponseError

from processes import eventually, started, until
from rewardloop.cli.app import main
from rewardloop.registry.catalog import Catalog
from rewardloop.settings import Duration, ExperimentSettings, LogSettings, TrainingSettings, load_settings
from running_server import Server, register, running

KEY = AzureKeyCredential("key")
CONFIGURATION: dict[str, Any] = {
    "rewardWaitTime": "PT10M", "defaultReward": 0.25, "rewardAggregation": "sum", "explorationPercentage": 0.2,
    "modelExportFrequency": "PT5M", "modelRetrainDays": 0, "logRetentionDays": 90, "learningMode": "Online",
    "isAutoOptimizationEnabled": False, "autoOptimizationFrequency": "P7D", "lastConfigurationEditDate": "0001-01-01T00:00:00Z",
}  # fmt: skip
POLICY = {"name": "mine", "arguments": "--cb_explore_adf --epsilon 0.2 --power_t 0 -l 0.001 --cb_type mtr -q ::"}
RANK = {"contextFeatures": [{"age": 31}], "actions": [{"id": each, "features": [{"price": len(each)}]} for each in ("a", "bb")]}
SLOW = ExperimentSettings(experiment="shop", training=TrainingSettings(every_events=10**9, every=Duration(10**11)))


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    data: Path = tmp_path_factory.mktemp("configured")
    register(data, SLOW)
    with running(data, workers=2) as server:
        yield server


@pytest.fixture
def admin(live: Server) -> Iterator[PersonalizerAdministrationClient]:
    with PersonalizerAdministrationClient(f"http://127.0.0.1:{live.port}", KEY, retry_total=0) as made:
        yield made


def settings_in(data: Path, name: str = "shop") -> ExperimentSettings:
    with Catalog(data) as catalog:
        return catalog.experiment(name).settings


def test_configuration(admin: PersonalizerAdministrationClient, live: Server) -> None:
    before = admin.get_service_configuration()
    assert before["learningMode"] == "Online"
    after = admin.update_service_configuration(CONFIGURATION)
    ours = {key: value for key, value in CONFIGURATION.items() if key != "lastConfigurationEditDate"}
    assert {key: after[key] for key in ours} == ours
    assert after["lastConfigurationEditDate"].startswith("20")
    assert admin.get_service_configuration() == after
    settings = settings_in(live.data)
    assert (settings.reward.window, settings.reward.default, settings.reward.aggregation) == (600_000_000, 0.25, "sum")
    assert (settings.policy.floor, settings.training.every, settings.log.retention) == (0.2, 300_000_000, 90 * 86_400_000_000)
    admin.update_service_configuration({**after, "logRetentionDays": -1})
    assert admin.get_service_configuration()["logRetentionDays"] == -1


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"rewardWaitTime": "10 minutes"}, "ISO 8601"),
        ({"explorationPercentage": 20}, "explorationPercentage"),
        ({"learningMode": "Onlin"}, "Expected Online, Apprentice, LoggingOnly"),
        ({"rewardAggregation": "average"}, "rewardAggregation"),
        ({"modelRetrainDays": 7}, "all that is in the lake"),
        ({"isAutoOptimizationEnabled": True}, "rewardloop search"),
        ({"logMirrorEnabled": True}, "rewardloop export"),
        ({"logMirrorSasUri": "https://x"}, "rewardloop export"),
        ({"colour": "red"}, "unknown field `colour`"),
        ({"defaultReward": None}, "defaultReward"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(
    admin: PersonalizerAdministrationClient, wrong: dict[str, object], message: str
) -> None:
    before = admin.get_service_configuration()
    with pytest.raises(HttpResponseError, match=message) as caught:
        admin.update_service_configuration({**CONFIGURATION, **wrong})
    assert caught.value.status_code == 400
    assert admin.get_service_configuration() == before


def test_learning_modes_without_a_restart(admin: PersonalizerAdministrationClient, live: Server) -> None:
    """In every worker within a second or so."""
    with PersonalizerClient(f"http://127.0.0.1:{live.port}", KEY) as client:

        def ranked(**more: object) -> tuple[str, float]:
            first = client.rank({**RANK, **more})["ranking"][0]
            return first["id"], first["probability"]

        def everywhere(wanted: tuple[str, float], **more: object) -> bool:
            return eventually(lambda: all(ranked(**more) == wanted for _ in range(8)))

        admin.update_service_configuration({**CONFIGURATION, "learningMode": "Apprentice"})
        assert everywhere(("a", 1.0))
        assert everywhere(("bb", 1.0), excludedActions=["a"])
        slots = [{"id": "top", "baselineAction": "bb"}, {"id": "side", "baselineAction": "a"}]

        def shown() -> list[tuple[str, str]]:
            answer = client.rank_multi_slot({**RANK, "slots": slots})
            return [(each["id"], each["rewardActionId"]) for each in answer["slots"]]

        assert eventually(lambda: all(shown() == [("top", "bb"), ("side", "a")] for _ in range(8)))
        admin.update_service_configuration({**CONFIGURATION, "learningMode": "LoggingOnly"})
        assert everywhere(("a", 1.0))
        admin.update_service_configuration(CONFIGURATION)
        assert eventually(lambda: all(ranked()[1] == 0.5 for _ in range(8)))
        assert {ranked()[0] for _ in range(40)} == {"a", "bb"}


def test_policy(admin: PersonalizerAdministrationClient, live: Server) -> None:
    assert admin.get_policy()["arguments"].startswith("--lints")
    assert admin.update_policy(POLICY) == POLICY == admin.get_policy()
    policy = settings_in(live.data).policy
    assert (policy.exploration, policy.learner.learning_rate, policy.learner.arguments) == ("egreedy", 0.001, "--power_t 0")
    with pytest.raises(HttpResponseError, match="did you mean `--epsilon`"):
        admin.update_policy({"name": "wrong", "arguments": "--cb_explore_adf --epsilo 0.2"})
    assert admin.get_policy() == POLICY
    default = admin.reset_policy()
    assert default["name"] == "lints"
    assert default == admin.get_policy()


def test_epsilon_and_the_exploration_percentage_are_one_number(admin: PersonalizerAdministrationClient, live: Server) -> None:
    def percentage() -> float:
        return float(admin.get_service_configuration()["explorationPercentage"])

    admin.update_policy(POLICY)
    assert percentage() == 0.2
    before = settings_in(live.data)
    admin.update_service_configuration(admin.get_service_configuration())
    assert settings_in(live.data) == before
    admin.update_service_configuration({**admin.get_service_configuration(), "explorationPercentage": 0.1})
    assert (percentage(), settings_in(live.data).policy.epsilon) == (0.1, 0.0)
    assert "--epsilon 0.1 " in admin.get_policy()["arguments"]
    admin.update_policy({"name": "none named", "arguments": "--cb_explore_adf"})
    assert percentage() == 0.1
    admin.update_policy({"name": "less", "arguments": "--cb_explore_adf --epsilon 0.05"})
    assert percentage() == 0.05
    assert admin.get_policy()["name"] == "less"
    admin.reset_policy()


def test_the_loop_takes_new_settings_without_a_restart(tmp_path: Path) -> None:
    register(tmp_path, SLOW)
    with running(tmp_path) as server, started("run", "shop", "--data", str(tmp_path), "--json", cwd=tmp_path, out=tmp_path / "run"):
        endpoint = f"http://127.0.0.1:{server.port}"
        with PersonalizerClient(endpoint, KEY) as client, PersonalizerAdministrationClient(endpoint, KEY) as admin:
            for _ in range(30):
                client.reward(client.rank(RANK)["eventId"], {"value": 1.0})
            admin.update_service_configuration({**CONFIGURATION, "modelExportFrequency": "PT1S", "rewardAggregation": "earliest"})
            until(lambda: '"model_id":"shop.1"' in (tmp_path / "run").read_text())


def test_import_gives_an_experiment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    Path("service.json").write_text(
        json.dumps(
            {
                **CONFIGURATION,
                "isAutoOptimizationEnabled": True,
                "logMirrorSasUri": "https://x",
                "latestApprenticeModeMetrics": {"numberOfEvents": 7},
            }
        )
    )
    Path("policy.json").write_text(json.dumps(POLICY))
    main_quietly(
        "import", "personalizer", "--config", "service.json", "--policy", "policy.json", "--name", "shop", "--data", "data"
    )
    said = capsys.readouterr()
    assert "isAutoOptimizationEnabled" in said.out + said.err
    assert "https://x" not in said.out + said.err
    settings = load_settings(Path("shop.yaml")).settings
    assert settings == settings_in(Path("data"))
    assert (settings.policy.floor, settings.policy.epsilon) == (0.2, 0.0)
    assert settings.log == LogSettings(retention=Duration(90 * 86_400_000_000))
    with running(Path("data")) as server, PersonalizerAdministrationClient(f"http://127.0.0.1:{server.port}", KEY) as admin:
        told = admin.get_service_configuration()
        assert {key: told[key] for key in ("rewardWaitTime", "explorationPercentage")} == {
            "rewardWaitTime": "PT10M", "explorationPercentage": 0.2,
        }  # fmt: skip
        with PersonalizerClient(f"http://127.0.0.1:{server.port}", KEY) as client:
            client.reward(client.rank(RANK)["eventId"], {"value": 1.0})
    for wrong in ("[]", "{", '{"rewardWaitTime": 3}'):
        Path("service.json").write_text(wrong)
        with pytest.raises(SystemExit) as stopped:
            main(["import", "personalizer", "--config", "service.json", "--name", "other", "--data", "data"])
        assert stopped.value.code == 2
        assert not Path("other.yaml").exists()


def main_quietly(*words: str) -> None:
    """Returns where it succeeds, however it says so."""
    try:
        main(words)
    except SystemExit as stopped:
        assert not stopped.code, stopped.code
