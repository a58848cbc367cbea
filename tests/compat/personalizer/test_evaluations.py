"""Offline evaluations and feature importances with the real SDK; the numbers against what is known of the world."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from azure.ai.personalizer import PersonalizerAdministrationClient
from azure.ai.personalizer.aio import PersonalizerAdministrationClient as AsyncAdministrationClient
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from hypothesis import given
from hypothesis import strategies as st

from learned_shop import learn
from processes import eventually
from rewardloop.compat.personalizer.jobs import Job, Jobs
from rewardloop.compat.personalizer.statistics import added, bucketed, ips, snips, total
from rewardloop.errors import NotFound
from running_server import Server, running

KEY = AzureKeyCredential("key")
NOW = datetime.now(UTC)
PERIOD = {"startTime": (NOW - timedelta(days=1)).isoformat(), "endTime": (NOW + timedelta(days=1)).isoformat()}
GOOD = {"name": "crossed", "arguments": "--cb_explore_adf --epsilon 0.01 --cb_type mtr -q ::"}
CHANCE = {"name": "chance", "arguments": "--cb_explore_adf --epsilon 1"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    data: Path = tmp_path_factory.mktemp("evaluated")
    learn(data)
    with running(data) as started:
        yield started


@pytest.fixture
def admin(server: Server) -> Iterator[PersonalizerAdministrationClient]:
    with PersonalizerAdministrationClient(f"http://127.0.0.1:{server.port}", KEY, retry_total=0) as made:
        yield made


def look(admin: PersonalizerAdministrationClient, job: str, **more: Any) -> Any:
    return admin.get_evaluation(job, start_time=NOW - timedelta(days=1), end_time=NOW + timedelta(days=1), **more)


def finished(admin: PersonalizerAdministrationClient, job: str) -> Any:
    assert eventually(lambda: look(admin, job)["status"] != "Running")
    return look(admin, job)


def test_an_evaluation_from_beginning_to_end(admin: PersonalizerAdministrationClient, server: Server) -> None:
    admin.create_evaluation("week 1/ä", {"name": "first", **PERIOD, "policies": [GOOD, CHANCE]})
    found = finished(admin, "week 1/ä")
    assert (found["status"], found["evaluationType"], found["optimalPolicy"]) == ("Succeeded", "Manual", "crossed")
    values = {each["name"]: each["summary"] for each in found["content"]["value"]}
    for name, truth in {"Online": 1 / 3, "Random": 1 / 3, "chance": 1 / 3, "Baseline": 1 / 2}.items():
        lower, upper = values[name]["confidenceInterval"]
        assert lower - 0.1 < truth < upper + 0.1
        assert lower < values[name]["expectedReward"] < upper
    assert values["crossed"]["confidenceInterval"][0] > 0.6
    sources = {each["name"]: each["policySource"] for each in found["content"]["value"]}
    assert sources == {"Online": "Online", "Baseline": "Baseline", "Random": "Random", "crossed": "Custom", "chance": "Custom"}
    expanding = found["content"]["value"][0]["timeseries"]["data"][-1]
    assert expanding["expectedReward"] == values["Online"]["expectedReward"]
    rolling = look(admin, "week 1/ä", interval_in_minutes=1440, window="Rolling")
    assert rolling["content"]["intervalInMinutes"] == 1440
    with pytest.raises(HttpResponseError, match="Rolling with more"):
        look(admin, "week 1/ä", interval_in_minutes=60, window="Expanding")
    listed = list(admin.list_evaluations(filter_expression="evaluationType eq 'Manual'", top=1))
    assert [(each["id"], "content" in each) for each in listed] == [("week 1/ä", False)]
    assert list(admin.list_evaluations(filter_expression="evaluationType eq 'Auto'")) == []
    with pytest.raises(HttpResponseError, match="a filter such as"):
        list(admin.list_evaluations(filter_expression="name eq 'x'"))
    with pytest.raises(ResourceExistsError, match="already"):
        admin.create_evaluation("week 1/ä", {"name": "again", **PERIOD})
    with pytest.raises(ResourceNotFoundError, match="did you mean `crossed`"):
        admin.apply_from_evaluation({"evaluationId": "week 1/ä", "policyName": "crosed"})
    admin.apply_from_evaluation({"evaluationId": "week 1/ä", "policyName": "crossed"})
    assert admin.get_policy() == GOOD
    assert look(admin, "week 1/ä")["status"] == "OptimalPolicyApplied"
    admin.apply_from_evaluation({"evaluationId": "week 1/ä", "policyName": "Online"})
    assert (admin.get_policy(), look(admin, "week 1/ä")["status"]) == (GOOD, "OnlinePolicyRetained")
    admin.delete_evaluation("week 1/ä")
    for gone in (lambda: look(admin, "week 1/ä"), lambda: admin.delete_evaluation("week 1/ä")):
        with pytest.raises(ResourceNotFoundError):
            gone()
    admin.reset_policy()


def test_the_dialect_of_v1(server: Server) -> None:
    path = "/personalizer/v1.0/evaluations"
    answer = server.post(path, {"name": "v1", **PERIOD, "enableOfflineExperimentation": True, "policies": [GOOD]})
    assert answer.status == 201
    place = answer.headers["location"]
    assert eventually(lambda: server.get(place).json()["status"] != "Running")
    found = server.get(place).json()
    results = {each["name"]: each for each in found["policyResults"]}
    assert {"Online", "Baseline", "Random", "crossed", "Tried egreedy"} <= set(results)
    told = results["crossed"]["totalSummary"]
    assert told["averageReward"] == pytest.approx(told["ipsEstimatorNumerator"] / told["snipsEstimatorDenominator"])
    assert told["ipsAverageReward"] == pytest.approx(told["ipsEstimatorNumerator"] / told["ipsEstimatorDenominator"])
    assert told["confidenceInterval"] > 0
    assert [each["id"] for each in server.get(path).json()] == [found["id"]]
    assert server.request("DELETE", place).status == 204
    assert server.get(place).status == 404


def test_feature_importance(admin: PersonalizerAdministrationClient) -> None:
    admin.create_feature_importance("f", {"name": "importance", **PERIOD})
    assert eventually(lambda: admin.get_feature_importance("f")["status"] != "Running")
    found = admin.get_feature_importance("f")
    assert found["status"] == "Succeeded"
    scores = {each["featureName"]: each["score"] for each in found["featureScores"]}
    assert max(scores, key=scores.__getitem__) in ("age", "kind")
    assert scores["noise"] < scores["age"] <= 100
    assert [each["id"] for each in admin.list_feature_importances()] == ["f"]
    assert list(admin.list_feature_importances(skip=1)) == []
    admin.delete_feature_importance("f")
    with pytest.raises(ResourceNotFoundError):
        admin.get_feature_importance("f")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"startTime": "yesterday"}, "Expected a date"),
        ({"startTime": PERIOD["endTime"], "endTime": PERIOD["startTime"]}, "before the endTime"),
        ({"policies": [GOOD, GOOD]}, "differ from each other"),
        ({"policies": [{**GOOD, "name": "Online"}]}, "differ from each other"),
        ({"policies": [{"name": "x", "arguments": "--marginal x"}]}, r"`--marginal` cannot be said.*policies\[0\]"),
        ({"colour": 1}, "unknown field"),
    ],
)
def test_what_cannot_be_evaluated_is_said_at_once(
    admin: PersonalizerAdministrationClient, wrong: dict[str, object], message: str
) -> None:
    with pytest.raises(HttpResponseError, match=message) as caught:
        admin.create_evaluation("wrong", {"name": "wrong", **PERIOD, **wrong})
    assert caught.value.status_code == 400
    assert "wrong" not in [each["id"] for each in admin.list_evaluations()]


def test_a_period_without_events_fails_and_says_so(admin: PersonalizerAdministrationClient) -> None:
    admin.create_evaluation("empty", {"name": "empty", "startTime": "2001-01-01T00:00:00Z", "endTime": "2001-01-02T00:00:00Z"})
    found = finished(admin, "empty")
    assert (found["status"], "No held-out event" in found["description"]) == ("Failed", True)
    with pytest.raises(ResourceExistsError, match="no result to apply"):
        admin.apply_from_evaluation({"evaluationId": "empty", "policyName": "Online"})
    admin.delete_evaluation("empty")


async def _awaited(server: Server) -> None:
    async with AsyncAdministrationClient(f"http://127.0.0.1:{server.port}", KEY) as client:
        assert (await client.get_service_configuration())["learningMode"] == "Online"
        assert [each async for each in client.list_evaluations()] == []
        assert (await client.get_policy())["arguments"]
        assert b"".join([each async for each in await client.export_model()])
        with pytest.raises(ResourceNotFoundError):
            await client.delete_evaluation("nothing")


def test_awaited(server: Server) -> None:
    asyncio.run(_awaited(server))


def test_a_job_whose_process_died_has_failed(tmp_path: Path) -> None:
    jobs = Jobs(tmp_path, "evaluation")
    jobs.create(Job(id="x", kind="evaluation", name="x", created_at=0, start_at=0, end_at=1))
    assert jobs.read("x", now=1).status == "Running"
    with jobs.lease("x"):
        assert jobs.read("x", now=10**9).status == "Running"
    assert jobs.read("x", now=10**9).status == "Failed"
    with pytest.raises(NotFound):
        jobs.read("y", now=1)


@given(st.lists(st.tuples(st.integers(0, 10**10), st.floats(0, 50), st.floats(-1, 1)), min_size=1, max_size=30), st.integers(0, 30))
def test_sums_of_sums_are_sums(rows: list[tuple[int, float, float]], cut: int) -> None:
    at, weight, reward = (np.array(column) for column in zip(*rows, strict=True))
    whole = bucketed(at, weight, reward)
    parts = added(bucketed(at[:cut], weight[:cut], reward[:cut]), bucketed(at[cut:], weight[cut:], reward[cut:]))
    sums = total(whole.values())
    assert total(parts.values()).w == pytest.approx(sums.w)
    plain, normalised = ips(sums), snips(sums)
    assert plain is not None
    assert plain.mean == pytest.approx(float(np.mean(weight * reward)), abs=1e-12)
    if weight.sum() > 1e-9:
        assert normalised is not None
        assert normalised.mean == pytest.approx(float(np.average(reward, weights=weight)), abs=1e-9)
