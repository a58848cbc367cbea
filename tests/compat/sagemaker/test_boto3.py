"""The real boto3 against the real server: every request of the contract, every refusal as the exception that boto3 documents."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

from rewardloop.compat.sagemaker.replies import WrongRequest
from rewardloop.compat.sagemaker.target import Manner, manner
from running_server import Server

ADF = {"shared_context": [1, 2], "actions_context": [[0.1, 1], [0.2, 2], [0.3, 3]], "user_id": 0}


def invoke(runtime: Any, body: object, name: str = "arms", **how: Any) -> Any:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = runtime.invoke_endpoint(EndpointName=name, Body=raw, **{"ContentType": "application/json", **how})
    return json.loads(answer["Body"].read())


def refused(runtime: Any, body: object, name: str = "arms", **how: Any) -> ClientError:
    with pytest.raises(ClientError) as caught:
        invoke(runtime, body, name, **how)
    return caught.value


def test_an_observation_of_fixed_arms(runtime: Any) -> None:
    answer = invoke(runtime, {"request_type": "Observation", "observation": [1, 3]})
    assert set(answer) == {"action", "action_prob", "event_id", "timestamp", "sample_prob", "model_id"}
    assert answer["action"] in (1, 2, 3)
    assert answer["action_prob"] == pytest.approx(1 / 3)
    assert isinstance(answer["timestamp"], int)
    assert 0 <= answer["sample_prob"] < 1


def test_actions_with_features(runtime: Any) -> None:
    answer = invoke(runtime, ADF, "shop")
    assert set(answer) == {"actions", "action_probs", "event_id", "timestamp", "sample_prob", "model_id"}
    assert answer["actions"][0] in (0, 1, 2)
    assert answer["action_probs"] == [pytest.approx(1 / 3)]


def test_nothing_shared_is_allowed(runtime: Any) -> None:
    assert invoke(runtime, {"shared_context": None, "actions_context": [[1.0]]}, "shop")["actions"] == [0]


def test_a_ranking(runtime: Any, server: Server) -> None:
    answer = invoke(runtime, {**ADF, "top_k": 2}, "shop")
    assert len(set(answer["actions"])) == 2
    assert answer["action_probs"] == [pytest.approx(1 / 3), pytest.approx(1 / 2)]
    assert invoke(runtime, {"request_type": "reward", "event_id": answer["event_id"], "reward": 1}, "shop")["status"] == "success"
    lines = json.dumps({**ADF, "top_k": 3}).encode()
    told = runtime.invoke_endpoint(EndpointName="shop", Body=lines, ContentType="application/jsonlines")["Body"].read()
    assert sorted(json.loads(told)["actions"]) == [0, 1, 2]


def test_texts_names_and_nulls_are_features(runtime: Any, server: Server) -> None:
    for observation in (["red", 1.5, None, True], {"age": 31, "os": "ios"}):
        event = invoke(runtime, {"observation": observation})["event_id"]
        logged = next(record for record in server.records("arms") if record.event_id == event)
        context = json.loads(logged.context)  # type: ignore[union-attr]
        assert context == (
            observation if isinstance(observation, dict) else {f"observation[{i}]": v for i, v in enumerate(observation)}
        )


def test_no_content_type_is_json(runtime: Any) -> None:
    answer = runtime.invoke_endpoint(EndpointName="arms", Body=b'{"observation": [1]}')
    assert answer["ContentType"] == "application/json"
    assert answer["InvokedProductionVariant"] == "AllTraffic"


def test_the_id_of_the_model(runtime: Any) -> None:
    assert invoke(runtime, {"request_type": "model_id", "observation": None})["model_id"] == "arms.0"


def test_a_reward_by_text_and_by_integer(runtime: Any, server: Server) -> None:
    event = invoke(runtime, {"observation": [1]})["event_id"]
    number = int(event.replace("-", ""), 16)
    for form in (event, number, str(number)):
        assert invoke(runtime, {"request_type": "reward", "event_id": form, "reward": 1.0}) == {"status": "success"}
    assert [r.event_id for r in server.records("arms")[-3:]] == [event] * 3


def test_an_inference_id_is_the_event_id(runtime: Any) -> None:
    name = "order/17 ä"
    with pytest.raises(ClientError, match="No decision"):
        invoke(runtime, {"request_type": "reward", "event_id": "order-17", "reward": 1.0})
    first = invoke(runtime, {"observation": [1]}, InferenceId="order-17", CustomAttributes="trace-1")
    assert invoke(runtime, {"observation": [1]}, InferenceId="order-17")["action"] == first["action"]
    assert invoke(runtime, {"request_type": "reward", "event_id": "order-17", "reward": 1.0}) == {"status": "success"}
    error = refused(runtime, {"request_type": "reward", "event_id": name, "reward": 1.0})
    assert error.response["Error"]["Code"] == "ValidationError"
    assert name in str(error)


@pytest.mark.parametrize("event_id", ["a/b c", "bestellung-ü", "注文 1/2"])
def test_an_inference_id_may_hold_any_letter(runtime: Any, event_id: str) -> None:
    decided = invoke(runtime, {"observation": [1]}, InferenceId=event_id)
    rewarded = invoke(runtime, {"request_type": "reward", "event_id": decided["event_id"], "reward": 1})
    assert (decided["event_id"], rewarded) == (event_id, {"status": "success"})


def test_custom_attributes_come_back(runtime: Any) -> None:
    answer = runtime.invoke_endpoint(EndpointName="arms", Body=b"[1]", ContentType="application/json", CustomAttributes="trace-7")
    assert answer["CustomAttributes"] == "trace-7"


def test_json_lines(runtime: Any) -> None:
    lines = b'[1, 2]\n\n{"observation": [3, 4]}\n["red"]\n'
    answer = runtime.invoke_endpoint(EndpointName="arms", Body=lines, ContentType="application/jsonlines")
    told = [json.loads(line) for line in answer["Body"].read().splitlines()]
    assert answer["ContentType"] == "application/jsonlines"
    assert len({one["event_id"] for one in told}) == 3


def test_json_lines_of_actions_with_features(runtime: Any) -> None:
    lines = b"\n".join([json.dumps(ADF).encode()] * 2)
    answer = runtime.invoke_endpoint(EndpointName="shop", Body=lines, ContentType="application/jsonlines")
    assert all("actions" in json.loads(line) for line in answer["Body"].read().splitlines())


def test_csv_in_and_out(runtime: Any, server: Server) -> None:
    before = len(server.records("arms"))
    answer = runtime.invoke_endpoint(EndpointName="arms", Body=b"1.5,2,red\n3,4,\n", ContentType="text/csv", Accept="text/csv")
    rows = [line.split(",") for line in answer["Body"].read().decode().splitlines()]
    logged = server.records("arms")[before:]
    assert [row[2] for row in rows] == [record.event_id for record in logged]
    assert [int(row[0]) - 1 for row in rows] == [record.action for record in logged]  # type: ignore[union-attr]
    assert len(rows[0]) == 6


def test_csv_in_and_json_lines_out(runtime: Any) -> None:
    answer = runtime.invoke_endpoint(EndpointName="arms", Body=b"1,2", ContentType="text/csv", Accept="application/json")
    assert json.loads(answer["Body"].read())["action"] in (1, 2, 3)


def test_an_empty_body_is_no_content(server: Server) -> None:
    for path in ("/invocations", "/endpoints/arms/invocations"):
        answer = server.request("POST", path, b"", {"x-rewardloop-experiment": "arms"})
        assert (answer.status, answer.body) == (204, b"")


MISTAKES = [
    ({"observation": [1]}, {"name": "armz"}, "did you mean `arms`"),
    (b"{", {}, "Incorrect JSON format error"),
    ({"observation": 7}, {}, r"\$.observation"),
    ({}, {}, "expected `observation`"),
    ({"observatoin": [1]}, {}, "did you mean `observation`"),
    ({"observation": [[1]]}, {}, r"\$.observation\[0\]"),
    ({"observation": [1e99]}, {}, "between -1e30 and 1e30"),
    ({"observation": [1, 1e99]}, {}, r"at `\$.observation\[1\]`"),
    ({"actions_context": [[1, 2], [1e99, 2]]}, {"name": "shop"}, r"at `\$.actions_context\[1\]\[0\]`"),
    ({"actions_context": [{"a": 1}, {"_a": 2}]}, {"name": "shop"}, r"at `\$.actions_context\[1\]._a`"),
    ({**ADF, "shared_context": {"_a": 2}}, {"name": "shop"}, r"at `\$.shared_context._a`"),
    ({"request_type": "rewards"}, {}, "did you mean `reward`"),
    (ADF, {}, "has fixed arms"),
    ({"observation": [1]}, {"name": "shop"}, "no fixed arms"),
    ({**ADF, "observation": [1]}, {"name": "shop"}, "got both"),
    ({"actions_context": []}, {"name": "shop"}, "length >= 1"),
    ({"actions_context": [[1]] * 1001}, {"name": "shop"}, "length <= 1000"),
    ({**ADF, "top_k": 9}, {"name": "shop"}, "top_k"),
    ({"request_type": "reward", "event_id": "never", "reward": 1}, {}, "No decision"),
    ({"request_type": "reward", "event_id": 17, "reward": 1}, {}, "No decision"),
    ({"request_type": "reward", "reward": 1}, {}, "event_id"),
    ({"request_type": "reward", "event_id": "x"}, {}, "Expected `reward`"),
    (b"[1]\n{", {"ContentType": "application/jsonlines"}, "line 2"),
    (b"[1]\n\n[1e99]", {"ContentType": "application/jsonlines"}, r"line 3: .* at `\$.observation\[0\]`"),
    (b"[1]\n[[1]]", {"ContentType": "application/jsonlines"}, "line 2"),
    (b"1\n1e99", {"ContentType": "text/csv"}, "line 2"),
    (b"[1]\n" * 1_500 + b"[1e99]", {"ContentType": "application/jsonlines"}, r"line 1501: .* at `\$.observation\[0\]`"),
    (b"1\n" * 100_001, {"ContentType": "text/csv"}, "at most 100000 lines"),
    (b'[1]\n{"request_type": "model_id"}', {"ContentType": "application/jsonlines"}, "send it alone"),
    ({"observation": [1]}, {"TargetModel": "a.tar.gz"}, "TargetModel"),
    ({"observation": [1]}, {"TargetVariant": "blue"}, "AllTraffic"),
    ({"observation": [1]}, {"SessionId": "NEW_SESSION"}, "SessionId"),
    ({"observation": [1]}, {"EnableExplanations": "`true`"}, "rewardloop explain"),
]


@pytest.mark.parametrize(("body", "how", "said"), MISTAKES)
def test_a_mistake_is_a_validation_error(runtime: Any, server: Server, body: object, how: dict[str, Any], said: str) -> None:
    before = len(server.records("arms")) + len(server.records("shop"))
    with pytest.raises(runtime.exceptions.ValidationError, match=said) as caught:
        invoke(runtime, body, **how)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert len(server.records("arms")) + len(server.records("shop")) == before


def test_every_parameter_that_boto3_knows_is_served_refused_or_documented(runtime: Any) -> None:
    page = (Path(__file__).parents[3] / "docs/sagemaker.md").read_text()
    parameters = runtime.meta.service_model.operation_model("InvokeEndpoint").input_shape.members
    assert [name for name in parameters if f"`{name}`" not in page] == ["EndpointName", "Body", "ContentType"]
    assert [name for name in runtime.meta.service_model.operation_names if xform_name(name) not in page] == []


def test_a_header_of_a_parameter_that_is_not_known_yet_is_refused() -> None:
    with pytest.raises(WrongRequest, match="x-amzn-sagemaker-tomorrow"):
        manner([(b"x-amzn-sagemaker-tomorrow", b"1")])
    assert manner([(b"x-amzn-sagemaker-target-variant", b"AllTraffic")]) == Manner()


def test_a_reward_out_of_range(runtime: Any) -> None:
    event = invoke(runtime, {"observation": [1]})["event_id"]
    with pytest.raises(runtime.exceptions.ValidationError, match="between -1 and 1"):
        invoke(runtime, {"request_type": "reward", "event_id": event, "reward": 2})


def test_an_event_of_another_experiment(runtime: Any) -> None:
    event = invoke(runtime, ADF, "shop")["event_id"]
    with pytest.raises(runtime.exceptions.ValidationError, match="belongs to experiment `shop`"):
        invoke(runtime, {"request_type": "reward", "event_id": event, "reward": 1})


def test_an_unknown_type_is_415(runtime: Any) -> None:
    for how in ({"ContentType": "application/x-npy"}, {"Accept": "application/x-npy"}):
        error = refused(runtime, {"observation": [1]}, **how)
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 415
        assert error.response["Error"]["Code"] == "ValidationError"


def test_csv_has_no_place_for_lists(runtime: Any, server: Server) -> None:
    before = len(server.records("shop"))
    assert "text/csv" in str(refused(runtime, ADF, "shop", Accept="text/csv"))
    assert len(server.records("shop")) == before


def test_more_than_six_mebibytes(runtime: Any) -> None:
    error = refused(runtime, b"1,2\n" * (6 << 18) + b"1", ContentType="text/csv")
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 413
    assert "6291456 bytes" in str(error)


def test_what_is_not_served_says_so(runtime: Any) -> None:
    with pytest.raises(ClientError, match="asynchronous inference") as later:
        runtime.invoke_endpoint_async(EndpointName="arms", InputLocation="s3://bucket/key")
    with pytest.raises(runtime.exceptions.ClientError, match="stream") as stream:
        runtime.invoke_endpoint_with_response_stream(EndpointName="arms", Body=b"[1]")
    assert {later.value.response["Error"]["Code"], stream.value.response["Error"]["Code"]} == {"ValidationError"}
