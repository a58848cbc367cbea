"""The queue on disk, against the real server: absent, killed, started again; and a client killed with rewards in hand."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest

from processes import PATIENCE_S, alive, eventually, kept_port, until
from rewardloop.client import Client, QueueFull, RequestRefused
from rewardloop.client.outbox import Outbox
from rewardloop.client.wire import Post
from rewardloop.events import Reward
from rewardloop.settings import ExperimentSettings, RewardSettings
from running_server import Server, add_key, register, running

OFFERS = ExperimentSettings(experiment="offers", actions=("red", "green"), reward=RewardSettings(range=(0.0, 1.0)))
NOWHERE = "http://127.0.0.1:9"


def url(server: Server) -> str:
    return f"http://127.0.0.1:{server.port}"


def rewarded(server: Server) -> Counter[str]:
    """How many different rewards each event has; the join counts a reward id once."""
    told = {(each.event_id, each.reward_id) for each in server.records() if isinstance(each, Reward)}
    return Counter(event_id for event_id, _ in told)


def test_rewards_survive_a_server_that_is_killed_and_started_again(tmp_path: Path) -> None:
    register(tmp_path, OFFERS)
    events = [f"e{i}" for i in range(60)]
    with (
        kept_port() as port,
        running(tmp_path, port=port) as server,
        Client(url(server), "offers", queue=tmp_path / "rewards.db") as client,
    ):
        for event_id in events[:20]:
            client.reward(event_id, 1.0)
        workers = server.workers()
        os.kill(server.process.pid, signal.SIGKILL)
        for event_id in events[20:40]:
            client.reward(event_id, 1.0)
        server.process.wait()
        until(lambda: not any(alive(pid) for pid in workers))
        with running(tmp_path, port=port) as again:
            client.reward_many([(event_id, 1.0) for event_id in events[40:]])
            assert client.flush(PATIENCE_S)
            assert rewarded(again) == dict.fromkeys(events, 1)


def test_rewards_survive_a_client_that_is_killed(tmp_path: Path) -> None:
    register(tmp_path, OFFERS)
    queue = tmp_path / "rewards.db"
    script = (
        "import sys\nfrom rewardloop import Client\n"
        f"client = Client({NOWHERE!r}, 'offers', queue={str(queue)!r})\n"
        "for i in range(50): client.reward(f'e{i}', 1.0)\n"
        "print('told', flush=True)\nsys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "told\n"
        process.kill()
    with running(tmp_path) as server:
        with Client(url(server), "offers", queue=queue) as client:
            assert client.flush(PATIENCE_S)
        assert rewarded(server) == dict.fromkeys((f"e{i}" for i in range(50)), 1)


def test_closing_leaves_what_cannot_be_sent_for_the_next(tmp_path: Path) -> None:
    with Client(NOWHERE, "offers", queue=tmp_path / "rewards.db") as client:
        client.reward("e", 1.0)
        client.close(0.1)
    with Client(NOWHERE, "offers", queue=tmp_path / "rewards.db") as client:
        assert client.n_waiting == 1
        client.close(0.0)


def test_one_wrong_reward_among_many_keeps_no_other_back(tmp_path: Path) -> None:
    register(tmp_path, OFFERS)
    queue = tmp_path / "rewards.db"
    with Client(NOWHERE, "offers", queue=queue) as client:
        client.reward_many([(f"e{i}", 7.0 if i == 13 else 1.0) for i in range(40)])
        client.close(0.0)
    with running(tmp_path) as server, Client(url(server), "offers", queue=queue) as client:
        assert client.flush(PATIENCE_S)
        assert set(rewarded(server)) == {f"e{i}" for i in range(40)} - {"e13"}
        [why] = client.refusals()
        assert "between 0 and 1" in why


def test_a_full_queue_takes_nothing_and_says_so(tmp_path: Path) -> None:
    with Client(NOWHERE, "offers", queue=tmp_path / "rewards.db", queue_limit=3) as client:
        client.reward_many([("a", 1.0), ("b", 1.0)])
        with pytest.raises(QueueFull, match="3 at most"):
            client.reward_many([("c", 1.0), ("d", 1.0)])
        client.reward("c", 1.0)
        assert client.n_waiting == 3
        client.close(0.0)


def test_a_key_that_is_made_later_lets_everything_through(tmp_path: Path) -> None:
    register(tmp_path, OFFERS)
    key = add_key(tmp_path, "shop", "reward")
    with running(tmp_path) as server:
        with Client(url(server), "offers", queue=tmp_path / "rewards.db", api_key="rl_0_0") as client:
            client.reward("e", 1.0)
            assert not client.flush(0.3)
            assert client.refusals() == []
            client.close(0.0)
        with Client(url(server), "offers", queue=tmp_path / "rewards.db", api_key=key.text) as client:
            assert client.flush(PATIENCE_S)
        assert rewarded(server) == {"e": 1}


def test_threads_and_forked_children_share_a_client(tmp_path: Path) -> None:
    register(tmp_path, OFFERS)
    script = """
import os, sys, threading
from rewardloop import Client
client = Client(sys.argv[1], "offers", queue=sys.argv[2])
client.reward("before", 1.0)
def tell(name):
    for i in range(20): client.reward(f"{name}.{i}", 1.0)
threads = [threading.Thread(target=tell, args=(f"t{i}",)) for i in range(4)]
for thread in threads: thread.start()
child = os.fork()
if not child:
    tell("child")
    client.decide({"age": 1}, event_id="child decides")
    client.close(180)
    os._exit(0)
for thread in threads: thread.join()
assert os.waitpid(child, 0)[1] == 0
client.close(180)
"""
    with running(tmp_path) as server:
        subprocess.run([sys.executable, "-c", script, url(server), str(tmp_path / "q.db")], check=True, timeout=600)
        wanted = {"before", *(f"{name}.{i}" for name in ("t0", "t1", "t2", "t3", "child") for i in range(20))}
        assert rewarded(server) == dict.fromkeys(wanted, 1)
        assert "child decides" in {each.event_id for each in server.records()}


def test_an_outbox_keeps_order_and_many_writers_lose_nothing(tmp_path: Path) -> None:
    def write(name: int) -> None:
        mine = Outbox(tmp_path / "q.db")
        for i in range(25):
            mine.add([Post(f"{name}", b"%d" % i)])
        mine.close()

    threads = [threading.Thread(target=write, args=(name,)) for name in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    outbox = Outbox(tmp_path / "q.db")
    found = outbox.oldest(1_000)
    for name in range(3):
        assert [int(each.post.body) for each in found if each.post.path == f"{name}"] == list(range(25))
    outbox.done(found[:70])
    assert len(outbox) == 5
    outbox.close()


def test_without_a_queue_a_refusal_is_raised_at_once(tmp_path: Path) -> None:
    register(tmp_path, OFFERS)
    with running(tmp_path) as server, Client(url(server), "offers") as client:
        with pytest.raises(RequestRefused):
            client.reward("e", 7.0)
        assert eventually(lambda: client.n_waiting == 0)
