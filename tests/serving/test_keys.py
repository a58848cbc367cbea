"""API keys on the real server: who may do what, in which experiment, under which header, and how fast a revoked key ends."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from processes import eventually
from rewardloop.serving.access import OPEN
from rewardloop.serving.dialects import all_routes
from rewardloop.serving.link import Protection
from rewardloop.settings import ExperimentSettings
from running_server import ARMS, CONTEXT, Answer, Key, Server, add_key, register, revoke_key, running

DECIDE = "/v1/experiments/offers/decide"


@dataclass
class Keyed:
    """A server that asks for keys, and one key of each kind."""

    server: Server
    keys: dict[str, Key]

    def ask(self, key: str, method: str, path: str, value: object = None) -> Answer:
        header = self.keys[key].header if key else {}
        body = None if value is None else json.dumps(value).encode()
        return self.server.request(method, path, body, {"content-type": "application/json", **header})


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keyed]:
    data = tmp_path_factory.mktemp("keyed")
    register(data, ARMS, ExperimentSettings(experiment="prices", actions=2))
    keys = {
        "decider": add_key(data, "decider", "decide"),
        "rewarder": add_key(data, "rewarder", "reward"),
        "admin": add_key(data, "admin", "admin"),
        "offers": add_key(data, "offers", "decide", "reward", experiments=["offers"]),
        "offers admin": add_key(data, "offers admin", "admin", experiments=["offers"]),
    }
    with running(data) as server:
        yield Keyed(server, keys)


def test_every_route_that_is_open_is_open_on_purpose() -> None:
    opened = {f"{route.method} {route.template}" for route in all_routes() if route.access == OPEN}
    assert opened == {"GET /healthz", "GET /readyz", "GET /openapi.json", "GET /ping", "GET /execution-parameters"}


def test_without_a_key_nothing_is_answered_but_what_is_open(keyed: Keyed) -> None:
    for route in all_routes():
        path = route.template.replace("{experiment}", "offers").replace("{name}", "offers").replace("{event_id}", "e")
        answer = keyed.server.request(route.method, path, b"{}" if route.method == "POST" else None)
        assert (answer.status in (401, 403)) == (route.access != OPEN), route.template


def test_a_missing_key_is_a_problem_document_that_says_what_to_send(keyed: Keyed) -> None:
    answer = keyed.ask("", "POST", DECIDE, CONTEXT)
    assert answer.status == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert "X-API-Key" in answer.json()["detail"]


@pytest.mark.parametrize("text", ["", "x", "rl_", "rl__", "rl_00_11", "é" * 50, "Basic YWxhZGRpbg==", "rl_" + "0" * 5_000])
def test_a_wrong_key_is_refused(keyed: Keyed, text: str) -> None:
    for headers in ({"x-api-key": text.encode().decode("latin-1")}, {"authorization": f"Bearer {text.encode().decode('latin-1')}"}):
        assert keyed.server.request("POST", DECIDE, b'{"context":{}}', headers).status == 401


def test_the_right_id_with_another_secret_is_refused(keyed: Keyed) -> None:
    key, other = keyed.keys["admin"], keyed.keys["decider"]
    forged = f"rl_{key.key_id}_{other.text.split('_', 2)[2]}"
    assert keyed.server.request("GET", "/v1/experiments", None, {"x-api-key": forged}).status == 401


@pytest.mark.parametrize("header", ["X-API-Key", "Ocp-Apim-Subscription-Key", "Authorization"])
def test_three_headers_carry_a_key(keyed: Keyed, header: str) -> None:
    text = keyed.keys["decider"].text
    value = f"bearer {text}" if header == "Authorization" else text
    assert keyed.server.request("POST", DECIDE, b'{"context":{}}', {header: value}).status == 200


def test_roles(keyed: Keyed) -> None:
    event_id = keyed.ask("decider", "POST", DECIDE, CONTEXT).json()["event_id"]
    reward = {"event_id": event_id, "reward": 1}
    activate = f"/v1/events/{event_id}/activate"
    told = {
        key: [
            keyed.ask(key, "POST", DECIDE, CONTEXT).status,
            keyed.ask(key, "POST", "/v1/rewards", reward).status,
            keyed.ask(key, "POST", activate, {}).status,
            keyed.ask(key, "GET", "/v1/experiments/offers").status,
            keyed.ask(key, "GET", "/metrics").status,
        ]
        for key in keyed.keys
    }
    assert told == {
        "decider": [200, 403, 200, 403, 403],
        "rewarder": [403, 200, 200, 403, 403],
        "admin": [200, 200, 200, 200, 200],
        "offers": [200, 200, 200, 403, 403],
        "offers admin": [200, 200, 200, 200, 403],
    }


def test_a_key_of_one_experiment_reaches_no_other(keyed: Keyed) -> None:
    foreign = keyed.ask("decider", "POST", "/v1/experiments/prices/decide", CONTEXT).json()["event_id"]
    before = len(keyed.server.records("prices"))
    refused = [
        keyed.ask("offers", "POST", "/v1/experiments/prices/decide", CONTEXT),
        keyed.ask("offers", "POST", "/v1/experiments/prices/decide/batch", {"requests": [CONTEXT]}),
        keyed.ask("offers", "POST", "/v1/rewards", {"event_id": foreign, "reward": 1}),
        keyed.ask("offers", "POST", "/v1/rewards", {"event_id": "own", "experiment": "prices", "reward": 1}),
        keyed.ask("offers", "POST", f"/v1/events/{foreign}/activate", {}),
        keyed.ask("offers", "POST", "/endpoints/prices/invocations", {"observation": [1]}),
        keyed.ask("offers admin", "GET", "/v1/experiments/prices/models"),
    ]
    assert [answer.status for answer in refused] == [403] * len(refused)
    assert len(keyed.server.records("prices")) == before
    assert [each["name"] for each in keyed.ask("offers admin", "GET", "/v1/experiments").json()["experiments"]] == ["offers"]


def test_a_batch_of_rewards_with_one_of_another_experiment_is_refused_whole(keyed: Keyed) -> None:
    own = {"event_id": "own", "experiment": "offers", "reward": 1, "reward_id": "whole"}
    answer = keyed.ask("offers", "POST", "/v1/rewards", {"rewards": [own, {**own, "experiment": "prices"}]})
    assert answer.status == 403
    assert not [each for each in keyed.server.records() if getattr(each, "reward_id", "") == "whole"]


def test_an_unknown_experiment_and_a_foreign_one_look_the_same(keyed: Keyed) -> None:
    told = [keyed.ask("offers", "POST", f"/v1/experiments/{name}/decide", CONTEXT).json() for name in ("prices", "nowhere")]
    assert [each["detail"].replace("nowhere", "prices") for each in told] == [told[0]["detail"]] * 2


def test_a_stranger_learns_whether_the_server_is_ready_and_no_more(keyed: Keyed) -> None:
    assert keyed.server.get("/readyz").json() == {"ready": True, "experiments": {}}
    assert keyed.server.get("/ping").status == 200
    assert set(keyed.ask("admin", "GET", "/readyz").json()["experiments"]) == {"offers", "prices"}
    assert set(keyed.ask("offers", "GET", "/readyz").json()["experiments"]) == {"offers"}


def test_sagemaker_s_body_says_which_role_it_needs(keyed: Keyed) -> None:
    path = "/endpoints/offers/invocations"
    decided = keyed.ask("decider", "POST", path, {"observation": [1]})
    reward = {"request_type": "reward", "event_id": decided.json()["event_id"], "reward": 1}
    assert decided.status == 200
    assert keyed.ask("rewarder", "POST", path, reward).status == 200
    for key, body in (("decider", reward), ("rewarder", {"observation": [1]})):
        refused = keyed.ask(key, "POST", path, body)
        assert (refused.status, refused.headers["x-amzn-errortype"]) == (403, "AccessDeniedException")


def test_keys_come_and_go_while_the_server_runs(tmp_path) -> None:
    register(tmp_path, ARMS)
    with running(tmp_path, workers=2) as server:

        def status(headers: dict[str, str]) -> set[int]:
            return {server.request("POST", DECIDE, b'{"context":{}}', headers).status for _ in range(8)}

        assert status({}) == {200}
        key = add_key(tmp_path, "shop", "decide")
        assert eventually(lambda: status({}) == {401})
        assert status(key.header) == {200}
        revoke_key(tmp_path, "shop")
        assert eventually(lambda: status(key.header) == {401})
        assert status({}) == {401}, "revoking the last key opens nothing"


def test_insecure_asks_for_nothing(tmp_path) -> None:
    register(tmp_path, ARMS)
    add_key(tmp_path, "shop", "decide")
    with running(tmp_path, protection=Protection(insecure=True)) as server:
        assert server.decide().status == 200
        assert server.get("/metrics").status == 200


def test_personalizer_s_clients_are_told_in_their_own_words(keyed: Keyed) -> None:
    path = "/experiments/offers/personalizer/v1.0/rank"
    body = json.dumps({"contextFeatures": [], "actions": [{"id": "red", "features": []}]}).encode()
    key = {"ocp-apim-subscription-key": keyed.keys["rewarder"].text, "content-type": "application/json"}
    for headers, status in (
        ({"content-type": "application/json"}, 401),
        ({**key, "ocp-apim-subscription-key": "x"}, 401),
        (key, 403),
    ):
        answer = keyed.server.request("POST", path, body, headers)
        assert (answer.status, answer.json()["error"]["code"]) == (status, str(status))
    key["ocp-apim-subscription-key"] = keyed.keys["decider"].text
    assert keyed.server.request("POST", path, body, key).status == 201
