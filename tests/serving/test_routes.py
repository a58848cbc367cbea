"""Every route of the real server: what it answers, and what is in the log when it has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from rewardloop.events import Activation, Decision, Reward
from rewardloop.serving.routes import ROUTES
from rewardloop.settings import ExperimentSettings
from running_server import ARMS, CONTEXT, Server, register, running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    data = tmp_path_factory.mktemp("data")
    register(data, ARMS, ExperimentSettings(experiment="articles"))
    with running(data) as started:
        yield started


def find(server: Server, event_id: str, experiment: str = "offers") -> list[object]:
    return [record for record in server.records(experiment) if record.event_id == event_id]


def test_a_decision_is_in_the_log_as_it_was_answered(server: Server) -> None:
    answer = server.decide()
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    told = answer.json()
    [logged] = find(server, told["event_id"])
    assert isinstance(logged, Decision)
    assert told == {
        "event_id": logged.event_id,
        "action": ARMS.action_ids[logged.action],
        "index": logged.action,
        "probability": logged.probability,
        "model_id": "offers.0",
    }
    assert logged.probability == logged.pmf[logged.action]
    assert logged.context == b'{"age": 31, "os": "ios"}'


def test_the_same_event_asked_twice_gets_the_same_answer(server: Server) -> None:
    asked = {**CONTEXT, "event_id": "order/17 ü"}
    assert server.decide(asked).json() == server.decide(asked).json()


def test_a_batch_is_answered_in_order_and_logged_whole(server: Server) -> None:
    requests = [{**CONTEXT, "event_id": f"batch-{i}"} for i in range(100)]
    answers = server.post("/v1/experiments/offers/decide/batch", {"requests": requests}).json()["decisions"]
    assert [answer["event_id"] for answer in answers] == [f"batch-{i}" for i in range(100)]
    logged = {record.event_id: record for record in server.records() if isinstance(record, Decision)}
    assert all(logged[a["event_id"]].probability == a["probability"] for a in answers)


def test_actions_with_features_come_with_the_request(server: Server) -> None:
    actions = [{"id": "x", "features": {"price": 3}}, {"id": "y"}]
    told = server.decide({"context": {}, "actions": actions, "excluded": ["x"]}, "articles").json()
    assert (told["action"], told["index"], told["probability"]) == ("y", 1, 1.0)


def test_a_reward_finds_its_experiment_by_the_event_id(server: Server) -> None:
    event_id = server.decide().json()["event_id"]
    answer = server.post("/v1/rewards", {"event_id": event_id, "reward": 0.5, "reward_id": "r1", "final": True})
    assert (answer.status, answer.json()) == (200, {"accepted": 1})
    [reward] = [record for record in find(server, event_id) if isinstance(record, Reward)]
    assert (reward.experiment, reward.reward, reward.reward_id, reward.final) == ("offers", 0.5, "r1", True)


def test_what_else_was_measured_comes_with_the_reward(server: Server) -> None:
    event_id = server.decide().json()["event_id"]
    told = {"event_id": event_id, "reward": 0.5}
    assert server.post("/v1/rewards", told | {"metrics": {"ms": 80, "cost": 1.2}}).status == 200
    [reward] = [record for record in find(server, event_id) if isinstance(record, Reward)]
    assert reward.metrics == (("cost", 1.2), ("ms", 80.0))


@pytest.mark.parametrize(
    "metrics", [{f"m{i}": 1 for i in range(9)}, {"": 1}, {"m" * 64: 1}, {"a b": 1}, {"m": "1"}, {"m": 1e31}, {"m": None}, [1]]
)
def test_metrics_that_cannot_be_are_refused_with_the_reward(server: Server, metrics: object) -> None:
    event_id = server.decide().json()["event_id"]
    answer = server.post("/v1/rewards", {"event_id": event_id, "reward": 0.5, "metrics": metrics})
    assert (answer.status, "metrics" in str(answer.json())) == (422, True)
    assert [type(record).__name__ for record in find(server, event_id)] == ["Decision"]


def test_many_rewards_of_several_experiments_go_to_their_logs(server: Server) -> None:
    own = {"event_id": "mine", "experiment": "articles", "reward": 2}
    made = {"event_id": server.decide().json()["event_id"], "reward": 1}
    assert server.post("/v1/rewards", {"rewards": [own, made]}).json() == {"accepted": 2}
    assert [record.reward for record in find(server, "mine", "articles")] == [2.0]
    assert [record.reward for record in find(server, made["event_id"]) if isinstance(record, Reward)] == [1.0]


@pytest.mark.parametrize("event_id", ["order/17", "ü%2F?#", "a b"])
def test_an_activation_finds_any_event_id(server: Server, event_id: str) -> None:
    server.decide({**CONTEXT, "event_id": event_id, "deferred": True})
    path = f"/v1/events/{quote(event_id, safe='')}/activate"
    for named in (server.post(f"{path}?experiment=offers", b""), server.post(path, {"experiment": "offers"})):
        assert (named.status, named.json()) == (200, {"event_id": event_id, "experiment": "offers"})
    assert sum(isinstance(record, Activation) for record in find(server, event_id)) == 2


def test_an_experiment_shows_its_settings_and_its_model(server: Server) -> None:
    one = server.get("/v1/experiments/offers").json()
    assert (one["name"], one["model_id"], one["settings"]["actions"]) == ("offers", "offers.0", ["red", "green", "blue"])
    names = [each["name"] for each in server.get("/v1/experiments").json()["experiments"]]
    assert [name for name in names if name != "late"] == ["articles", "offers"], "the one that is registered below comes between"


@pytest.mark.parametrize("what", ["models", "evaluations", "deployments", "rollouts"])
def test_a_new_experiment_has_no_history(server: Server, what: str) -> None:
    assert server.get(f"/v1/experiments/offers/{what}").json() == {what: []}


def test_health_and_readiness(server: Server) -> None:
    assert server.get("/healthz").json() == {"status": "ok"}
    ready = server.get("/readyz")
    assert ready.status == 200
    assert ready.json()["experiments"]["offers"] == {"ready": True, "model_id": "offers.0", "problem": ""}


def test_metrics_count_what_was_answered(server: Server) -> None:
    def decisions() -> float:
        text = server.get("/metrics").body.decode()
        found = re.search(r'^rewardloop_decisions_total{experiment="offers"} (\S+)$', text, re.MULTILINE)
        return float(found[1]) if found else 0.0

    before = decisions()
    server.decide()
    assert decisions() == before + 1
    assert b'rewardloop_requests_total{operation="decide",status="200"}' in server.get("/metrics").body
    assert b'rewardloop_request_seconds_bucket{le="+Inf",operation="decide"}' in server.get("/metrics").body


def test_the_description_names_every_route_and_no_other(server: Server) -> None:
    document = server.get("/openapi.json").json()
    described = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    assert described == {(route.method, route.template) for route in ROUTES}
    references = re.findall(r'"#/components/schemas/(\w+)"', server.get("/openapi.json").body.decode())
    assert set(references) == set(document["components"]["schemas"])


def test_every_route_described_is_there(server: Server) -> None:
    for route in ROUTES:
        path = re.sub(r"{experiment}", "offers", route.template).replace("{event_id}", "e")
        other = server.request("DELETE", path)
        assert (other.status, route.method in other.headers["allow"]) == (405, True), path


def test_head_is_get_without_a_body(server: Server) -> None:
    answer = server.request("HEAD", "/healthz")
    assert (answer.status, answer.body, int(answer.headers["content-length"]) > 0) == (200, b"", True)


def test_an_experiment_registered_meanwhile_is_served(server: Server) -> None:
    register(server.data, ExperimentSettings(experiment="late", actions=2))
    event_id = server.decide(experiment="late").json()["event_id"]
    assert server.post("/v1/rewards", {"event_id": event_id, "reward": 1}).status == 200
    assert len(find(server, event_id, "late")) == 2
