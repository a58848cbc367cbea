"""The class of 2019: a script of that time runs, and what it left unsaid is said."""

from __future__ import annotations

import csv
import json
import logging
import math
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pytest
import yaml

from rewardloop.compat.sagemaker import ExperimentManager
from rewardloop.errors import Conflict, InvalidInput, InvalidSettings, UnknownModel
from running_server import register, running

ROOT = Path(__file__).parents[3]
CONFIG = ROOT / "examples" / "sagemaker-2019.yaml"
SCRIPT = Path(__file__).with_name("notebook_2019.py")

Make = Callable[..., ExperimentManager]


def config(**more: Any) -> dict[str, Any]:
    return {**yaml.safe_load(CONFIG.read_text()), **more}


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Make]:
    made: list[ExperimentManager] = []

    def make(name: str = "bandits-1", **more: Any) -> ExperimentManager:
        made.append(ExperimentManager(config(**more), experiment_id=name, data=tmp_path))
        return made[-1]

    yield make
    for one in made:
        one.close()


def row(i: int = 0, **more: Any) -> dict[str, Any]:
    plain = {"reward": i % 2, "event_id": 10**20 + i, "action": i % 7 + 1, "action_prob": 1 / 7, "model_id": "sample"}
    return {**plain, "observation": [float(i), 1.0], "sample_prob": (i % 10) / 10, **more}


def rows_of(path: Path) -> list[dict[str, str]]:
    with (path / "part-00000.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_script_of_2019_runs(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, SCRIPT, CONFIG, "bandits-exp-1"], cwd=tmp_path, capture_output=True, text=True, timeout=600, check=False
    )
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    assert told["states"] == ["SUCCEEDED"]
    assert len(told["means"]) == 3
    assert not any(math.isnan(cost) for costs in told["scores"] for cost in costs), "how good they are is chance"
    record = told["record"]
    assert record["training_workflow_metadata"]["training_state"] == "TRAINED"
    assert record["training_workflow_metadata"]["last_trained_model_id"] == "bandits-exp-1.4"
    assert record["hosting_workflow_metadata"]["hosting_state"] == "DEPLOYED"
    assert record["evaluation_workflow_metadata"]["evaluation_state"] == "EVALUATED"
    assert told["after"]["training_workflow_metadata"]["last_trained_model_id"] is None
    assert ran.stderr.count("These keys do nothing here") == 1


def test_a_script_that_just_ends_leaves_its_log_sealed_and_says_nothing(tmp_path: Path) -> None:
    script = (
        "import sys, yaml; from rewardloop.compat.sagemaker import ExperimentManager\n"
        "bandits = ExperimentManager(yaml.safe_load(open(sys.argv[1])), experiment_id='bandits-1')\n"
        "bandits.initialize_first_model()\nbandits.deploy_model(bandits.last_trained_model_id)\n"
        "bandits.predictor.get_action(obs=[1.0, 2.0])\n"
    )
    command = [sys.executable, "-c", script, str(CONFIG)]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=600, check=True)
    assert [line for line in ran.stderr.splitlines() if not line.startswith("These keys do nothing here")] == []
    log = tmp_path / "rewardloop-data" / "experiments" / "bandits-1" / "log"
    assert [path.suffix for path in log.iterdir()] == [".segment"]


def test_a_predictor_outlives_a_change_of_the_ratio(manager: Make) -> None:
    bandit = manager()
    bandit.ingest_joined_data([row(i) for i in range(40)], ratio=0.8)
    bandit.initialize_first_model()
    bandit.deploy_model(bandit.last_trained_model_id)
    held = bandit.predictor
    assert held is not None
    action = held.get_action(obs=[1.0, 1.0])
    bandit.join(bandit.ingest_rewards([{"reward": 1, "event_id": action.event_id}]), ratio=0.5)
    assert held.get_action(obs=[1.0, 1.0]).model_id == held.get_hosted_model_id() == bandit.last_hosted_model_id


def _read(cell: str) -> Any:
    return cell if cell == "sample" else json.loads(cell)


def test_joined_data_is_csv_on_disk_and_can_be_taken_in_again(manager: Make) -> None:
    first = manager()
    first.ingest_joined_data([row(i) for i in range(40)], ratio=0.75)
    assert first.last_joined_job_train_data is not None
    assert first.last_joined_job_eval_data is not None
    train, evaluation = rows_of(first.last_joined_job_train_data.path), rows_of(first.last_joined_job_eval_data.path)
    assert len(train) + len(evaluation) == 40
    assert all(float(one["sample_prob"]) <= 0.75 for one in train)
    assert all(float(one["sample_prob"]) > 0.75 for one in evaluation)
    numbers = [{key: value if key == "event_id" else _read(value) for key, value in one.items()} for one in train + evaluation]
    second = manager("bandits-2")
    second.ingest_joined_data(numbers)
    assert {one["event_id"] for one in train + evaluation} == {str(row(i)["event_id"]) for i in range(40)}
    assert second._experiment.join().fingerprint != first._experiment.join().fingerprint  # closed at other instants
    assert second._experiment.join().n == 40


def test_texts_pass_through_the_csv(manager: Make) -> None:
    bandit = manager()
    bandit.ingest_joined_data([row(0, observation=['red, or "blue"\n', 2.5])])
    assert bandit.last_joined_job_train_data is not None
    assert json.loads(rows_of(bandit.last_joined_job_train_data.path)[0]["observation"]) == ['red, or "blue"\n', 2.5]


def test_numpy_goes_in(manager: Make) -> None:
    bandit = manager()
    bandit.ingest_joined_data([row(0, observation=np.array([1.0, 2.0]), reward=np.float64(1), action=np.int64(3))])
    bandit.deploy_model("bandits-1.0")
    assert bandit.predictor is not None
    action, event, model, probability, share = bandit.predictor.get_action(obs=np.array([1.0, 2.0]))
    assert 1 <= action <= 7
    assert (model, probability) == ("bandits-1.0", pytest.approx(1 / 7))
    assert 0 <= share < 1
    assert event


def test_a_row_of_a_decision_made_here_is_learned_from_once(manager: Make) -> None:
    bandit = manager()
    bandit.deploy_model("bandits-1.0")
    assert bandit.predictor is not None
    made = bandit.predictor.get_action([1.0, 2.0])
    joined = {"reward": 1.0, "observation": [1.0, 2.0], **made._asdict()}
    bandit.ingest_joined_data([joined])
    bandit.ingest_joined_data([joined])
    bandit.join(bandit.ingest_rewards([{"reward": 0.0, "event_id": made.event_id}]))
    assert bandit._experiment.join().n == 1
    assert bandit._experiment.ledger().decisions == 1


def test_each_job_holds_what_closed_since_the_last(manager: Make) -> None:
    bandit = manager()
    bandit.ingest_joined_data([row(i) for i in range(10)], ratio=1.0)
    bandit.ingest_joined_data([row(i) for i in range(5, 15)], ratio=1.0)
    assert bandit.last_joined_job_train_data is not None
    assert bandit.last_joined_job_id == "bandits-1-join-2"
    assert {one["event_id"] for one in rows_of(bandit.last_joined_job_train_data.path)} == {
        str(row(i)["event_id"]) for i in range(10, 15)
    }


def test_a_new_process_remembers(manager: Make, tmp_path: Path) -> None:
    bandit = manager()
    bandit.ingest_joined_data([row(i) for i in range(20)])
    bandit.initialize_first_model()
    bandit.deploy_model(str(bandit.last_trained_model_id))
    told = bandit._jsonify()
    bandit.close()
    again = ExperimentManager(config(), experiment_id="bandits-1", data=tmp_path)
    try:
        assert again._jsonify() == told
        assert again.predictor is not None
        assert again.predictor.get_hosted_model_id() == "bandits-1.1"
        assert again.last_joined_job_eval_data == bandit.last_joined_job_eval_data
    finally:
        again.close()


def test_without_history_the_first_model_is_uniform(manager: Make) -> None:
    bandit = manager()
    bandit.initialize_first_model()
    assert bandit.last_trained_model_id == "bandits-1.0"
    assert bandit._jsonify()["training_workflow_metadata"]["training_state"] == "TRAINED"  # type: ignore[index]


def test_a_deleted_endpoint_decides_no_more(manager: Make) -> None:
    bandit = manager()
    bandit.deploy_model("bandits-1.0")
    assert bandit.predictor is not None
    bandit.predictor.delete_endpoint()
    with pytest.raises(Conflict, match="deploy_model hosts again"):
        bandit.predictor.get_action([1.0])


def test_the_log_cannot_say_is_not_a_good_score(manager: Make, caplog: pytest.LogCaptureFixture) -> None:
    bandit = manager()
    bandit.initialize_first_model()
    with caplog.at_level(logging.WARNING):
        assert math.isnan(bandit.get_eval_score())
    assert "no score of bandits-1.0" in caplog.text


def test_switches_stand_at_the_top_or_in_algor(manager: Make) -> None:
    top = manager()
    assert (top.local_mode, top.soft_deployment) == (True, True)
    document = config()
    algor = {**document["algor"], "local_mode": document.pop("local_mode"), "soft_deployment": False}
    inside = manager("bandits-2", algor=algor, local_mode=None, soft_deployment=None)
    assert inside.config["algor"]["local_mode"] is True  # type: ignore[index]


MISTAKES = [
    (row(0, action=8), "from 1 to 7, got 8"),
    (row(0, action=0), r"\$\[1\].action"),
    (row(0, action_prob=0.0), r"\$\[1\].action_prob"),
    ({"event_id": 1, "reward": 1}, "missing required field"),
    (row(0, observation=[[1.0]]), r"\$\[1\].observation"),
    (row(0, reward="much"), r"\$\[1\].reward"),
    (row(0, observation=object()), "numbers, texts and lists"),
]


@pytest.mark.parametrize(("wrong", "said"), MISTAKES)
def test_a_wrong_row_is_named_and_nothing_is_taken_in(manager: Make, wrong: dict[str, Any], said: str) -> None:
    bandit = manager()
    with pytest.raises(InvalidInput, match=said):
        bandit.ingest_joined_data([row(1), wrong])
    assert bandit._experiment.join().n == 0


def test_a_failure_shows_in_the_state(manager: Make) -> None:
    bandit = manager()
    with pytest.raises(UnknownModel):
        bandit.deploy_model("bandits-1.9")
    with pytest.raises(Conflict):
        bandit.train_next_model()
    with pytest.raises(InvalidInput, match="joined data of experiment"):
        bandit.evaluate_model("s3://my-bucket/data")
    told = bandit._jsonify()
    assert [told[f"{what}_workflow_metadata"][f"{what}_state"] for what in ("hosting", "training", "evaluation")] == ["FAILED"] * 3  # type: ignore[index]


def test_what_is_not_ours_is_refused(manager: Make) -> None:
    bandit = manager()
    for clean in (bandit.clean_resource, bandit.clean_table_records):
        with pytest.raises(InvalidInput, match="this manager's experiment"):
            clean("other")
    with pytest.raises(InvalidInput, match="ingest them first"):
        bandit.join("s3://my-bucket/rewards")
    with pytest.raises(InvalidSettings, match="num_arms"):
        ExperimentManager({"algor": {"algorithms_parameters": {"epsilon": 0.1}}}, experiment_id="none", data=bandit._data.root)


def test_the_simulation_is_written_down(manager: Make) -> None:
    bandit = manager()
    bandit.cw_logger.publish_rewards_for_simulation(bandit.experiment_id, np.float64(0.5))
    assert [one.reward for one in bandit.cw_logger.published()] == [0.5]
    assert str(bandit.cw_logger.path) in bandit.get_cloudwatch_dashboard_details()


def test_boto3_lists_and_downloads_the_joined_data(manager: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bandit = manager()
    bandit.ingest_joined_data([row(i) for i in range(30)])
    where = bandit.last_joined_job_eval_data
    assert where is not None
    bucket, _, prefix = where.removeprefix("s3://").partition("/")
    register(tmp_path)
    with running(tmp_path) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{server.port}")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        s3 = boto3.client("s3", region_name="eu-west-1")
        try:
            listed = s3.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]
            s3.download_file(bucket, listed[0]["Key"], str(tmp_path / "eval.csv"))
            assert (tmp_path / "eval.csv").read_bytes() == (where.path / "part-00000.csv").read_bytes()
            _explore(s3, bucket, listed[0]["Key"])
        finally:
            s3.close()


def _explore(s3: Any, bucket: str, key: str) -> None:
    """What else scripts do with a bucket."""
    assert s3.head_object(Bucket=bucket, Key=key)["ContentLength"] == len(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    assert s3.get_object(Bucket=bucket, Key=key, Range="bytes=0-5")["Body"].read() == b"reward"
    assert s3.get_object(Bucket=bucket, Key=key, Range="bytes=-1")["Body"].read() == b"\n"
    assert [one["Prefix"] for one in s3.list_objects_v2(Bucket=bucket, Delimiter="/")["CommonPrefixes"]] == ["bandits-1/"]
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, PaginationConfig={"PageSize": 1})
    assert [one["Key"].split("/")[3] for page in pages for one in page["Contents"]] == ["eval", "train"]
    assert len(s3.list_objects(Bucket=bucket)["Contents"]) == 2
    assert s3.list_objects_v2(Bucket=bucket, Prefix="nobody")["KeyCount"] == 0
    s3.head_bucket(Bucket=bucket)
    with pytest.raises(s3.exceptions.NoSuchKey, match="No object"):
        s3.get_object(Bucket=bucket, Key=key + "x")
    with pytest.raises(s3.exceptions.NoSuchKey):
        s3.get_object(Bucket=bucket, Key="bandits-1/joined/%2e%2e/eval/part-00000.csv")
    with pytest.raises(s3.exceptions.ClientError, match="InvalidRange"):
        s3.get_object(Bucket=bucket, Key=key, Range="bytes=999999-")
    with pytest.raises(s3.exceptions.ClientError, match="read only"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    with pytest.raises(s3.exceptions.ClientError, match="read only"):
        s3.delete_object(Bucket=bucket, Key=key)
