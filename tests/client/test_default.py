"""A page never waits for a bandit: defaults in time, what becomes of them in the log, repetitions, keys and certificates."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from processes import PATIENCE_S, eventually
from rewardloop import AsyncClient, Client, Experiment
from rewardloop.client import RequestRefused
from rewardloop.client.connection import Unreachable
from rewardloop.errors import InvalidInput
from rewardloop.events import Activation, Decision, Reward
from rewardloop.serving.link import Protection
from rewardloop.settings import ExperimentSettings
from running_server import ARMS, Server, add_key, register, running

NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    register(tmp_path, ARMS, ExperimentSettings(experiment="items"))
    with running(tmp_path) as started:
        yield started


@pytest.fixture
def silent() -> Iterator[str]:
    """Takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def url(server: Server) -> str:
    return f"http://127.0.0.1:{server.port}"


def of(server: Server, event_id: str) -> set[type]:
    return {type(each) for each in server.records() if each.event_id == event_id}


def test_a_server_that_is_not_there_and_one_that_says_nothing(silent: str) -> None:
    for there in (NOWHERE, silent):
        with Client(there, "offers", timeout_seconds=600.0, retries=0) as client:
            started = time.monotonic()
            decided = client.decide({"age": 31}, default="red", timeout_seconds=0.05)
            assert time.monotonic() - started < 300, "not as long as a request may take"
        assert (decided.action, decided.by_default, decided.probability, decided.index) == ("red", True, 0.0, -1)
        assert decided.event_id


def test_awaited_too(silent: str) -> None:
    async def go() -> None:
        async with AsyncClient(silent, "offers") as client:
            decided = await client.decide({}, default=["a", "b"], top_k=2, timeout_seconds=0.05)
            assert [(slot.slot, slot.action) for slot in decided.slots] == [("1", "a"), ("2", "b")]

    asyncio.run(go())


def test_in_time_it_is_the_server_s_answer_and_counts(server: Server) -> None:
    with Client(url(server), "offers") as client:
        decided = client.decide({"age": 31}, default="red", timeout_seconds=PATIENCE_S)
        assert not decided.by_default
        client.reward(decided.event_id, 1.0)
        assert client.flush(PATIENCE_S)
    assert of(server, decided.event_id) == {Decision, Activation, Reward}


def test_awaited_in_time_and_queued(server: Server, tmp_path: Path) -> None:
    async def go() -> str:
        async with AsyncClient(url(server), "offers", queue=tmp_path / "q.db") as client:
            decided = await client.decide({"age": 31}, default="red", timeout_seconds=PATIENCE_S)
            await client.reward(decided.event_id, 1.0)
            await client.reward_many([("other", 1.0)])
            assert await client.flush(PATIENCE_S)
            assert client.n_waiting == 0
            return decided.event_id

    assert of(server, asyncio.run(go())) == {Decision, Activation, Reward}


def test_a_decision_that_came_too_late_does_not_count_nor_does_its_reward(server: Server, tmp_path: Path) -> None:
    [worker] = server.workers()
    with Client(url(server), "offers") as client:
        client.decide({"age": 1}, event_id="first")
        os.kill(worker, signal.SIGSTOP)
        decided = client.decide({"age": 31}, default="red", timeout_seconds=0.05)
        os.kill(worker, signal.SIGCONT)
        assert decided.by_default
        assert eventually(lambda: Decision in of(server, decided.event_id)), "the server decided, for nobody"
        client.reward(decided.event_id, 1.0)
    assert of(server, decided.event_id) == {Decision, Reward}
    with Experiment.open("offers", tmp_path) as offers:
        ledger = offers.join().ledger
    assert (ledger.rewards_counted, ledger.rewards_not_activated + ledger.rewards_waiting) == (0, 1)


def test_a_mistake_is_said_and_not_hidden_behind_the_default(server: Server) -> None:
    with Client(url(server), "offers") as client:
        with pytest.raises(RequestRefused):
            client.decide({"_": 1}, default="red")
        with pytest.raises(InvalidInput, match="as a default"):
            Client(NOWHERE, "offers", retries=0).decide({}, default=[], timeout_seconds=0.1)


def test_what_is_sent_again_counts_once(tmp_path: Path) -> None:
    register(tmp_path, ARMS)
    with running(tmp_path, protection=Protection(rate_limit=4.0)) as server, Client(url(server), "offers", retries=5) as client:
        for _ in range(12):
            client.reward(client.decide({}).event_id, 1.0)
        records = server.records()
    rewards = [each for each in records if isinstance(each, Reward)]
    assert len(rewards) == 12
    assert all(each.reward_id for each in rewards)


def test_nobody_there_is_one_sentence() -> None:
    with Client(NOWHERE, "offers", retries=1) as client, pytest.raises(Unreachable, match="does `rewardloop serve` run there"):
        client.decide({})


def test_a_silence_is_named(silent: str) -> None:
    async def awaited() -> None:
        async with AsyncClient(silent, "offers", retries=0, timeout_seconds=0.05) as client:
            await client.decide({})

    with Client(silent, "offers", retries=0, timeout_seconds=0.05) as client:
        for ask in (lambda: client.decide({}), lambda: asyncio.run(awaited())):
            with pytest.raises(Unreachable, match=r"No answer from http://127.0.0.1:\d+: \w.+; does") as told:
                ask()
            assert told.value.__suppress_context__, "the traceback is the caller's, not three libraries'"


def test_a_key_is_sent_and_a_missing_one_is_explained(tmp_path: Path) -> None:
    register(tmp_path, ARMS)
    key = add_key(tmp_path, "shop", "decide")
    with running(tmp_path) as server:
        with Client(url(server), "offers", api_key=key.text) as client:
            event_id = client.decide({}).event_id
            with pytest.raises(RequestRefused, match="may not send rewards") as refused:
                client.reward(event_id, 1.0)
            assert refused.value.status == 403
        with Client(url(server), "offers") as client, pytest.raises(RequestRefused, match="X-API-Key"):
            client.decide({}, default="red", timeout_seconds=PATIENCE_S)
