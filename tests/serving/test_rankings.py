"""Rankings and slots over HTTP: asked, answered, rewarded by position, refused with a place."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rewardloop import Experiment
from rewardloop.client import Client, RequestRefused
from rewardloop.events import Decision, Reward
from rewardloop.log import Cursor
from running_server import ARMS, CONTEXT, Server, register, running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    data = tmp_path_factory.mktemp("data")
    register(data, ARMS)
    with running(data) as started:
        yield started


def test_a_ranking_is_answered_rewarded_by_position_and_replayed(server: Server) -> None:
    with Client(f"http://127.0.0.1:{server.port}", "offers") as client:
        decided = client.decide({"age": 31}, top_k=2)
        client.reward(decided.event_id, 1.0, slot="2")
    first, second = decided.slots
    assert (first.slot, second.slot) == ("1", "2")
    assert first.action != second.action
    assert (decided.action, decided.probability) == (first.action, first.probability)
    with Experiment.open(ARMS, server.data) as offers:
        found = offers.audit(decided.event_id)
        assert found.same
        assert found.joint_probability == pytest.approx(first.probability * second.probability)
        assert [reward.slot for reward in found.rewards] == ["2"]


def test_slots_in_a_batch_beside_plain_requests(server: Server) -> None:
    slots = [{"id": "top", "features": {"size": "large"}}, {"id": "side", "excluded": ["red"]}]
    answer = server.post("/v1/experiments/offers/decide/batch", {"requests": [CONTEXT, {**CONTEXT, "slots": slots}]}).json()
    plain, filled = answer["decisions"]
    assert "slots" not in plain
    assert [slot["slot"] for slot in filled["slots"]] == ["top", "side"]
    assert filled["slots"][1]["action"] != "red"


def test_what_cannot_be_ranked_is_refused_and_not_logged(server: Server) -> None:
    with Client(f"http://127.0.0.1:{server.port}", "offers") as client, pytest.raises(RequestRefused, match=r"at most 3.*top_k"):
        client.decide({"age": 31}, top_k=4, event_id="refused")
    answer = server.decide({**CONTEXT, "slots": [{"id": "a"}, {"id": "a"}], "event_id": "refused"})
    assert (answer.status, answer.json()["at"]) == (422, "$.slots[1].id")
    assert server.decide({**CONTEXT, "top_k": 0}).status == 422
    with Experiment.open(ARMS, server.data) as offers:
        records, _ = offers.read_log(Cursor())
        assert not [record for record in records if isinstance(record, Decision | Reward) and record.event_id == "refused"]
