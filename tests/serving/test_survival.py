"""What is killed, full, broken or twice there: nothing acknowledged is lost, and the service goes on or says why not."""

from __future__ import annotations

import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from processes import PATIENCE_S, alive, eventually, killed
from rewardloop.errors import Conflict, DirectoryInUse
from rewardloop.events import Decision, Reward
from rewardloop.serving.link import WorkerOptions
from rewardloop.serving.supervisor import MAX_FAILED_STARTS, serve
from rewardloop.settings import ExperimentSettings, LogSettings
from running_server import (
    ARMS,
    Traffic,
    publish,
    register,
    running,
)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    register(tmp_path, ARMS)
    return tmp_path


def test_every_acknowledged_event_survives_a_kill_of_all_processes(data: Path) -> None:
    decided: list[str] = []
    rewarded: list[str] = []
    for round_ in range(4):
        with running(data, workers=2) as server, Traffic(server) as traffic:
            assert eventually(lambda n=40 * (1 + round_): len(traffic.rewarded) > n)
            killed(server.process.pid, *server.workers())
        decided += traffic.decided
        rewarded += traffic.rewarded
        logged = server.records()
        assert set(decided) <= {record.event_id for record in logged if isinstance(record, Decision)}
        assert set(rewarded) <= {record.event_id for record in logged if isinstance(record, Reward)}
    assert max(Counter(decided).values()) == 1


def test_no_request_fails_while_models_are_swapped(data: Path) -> None:
    with running(data, workers=2) as server, Traffic(server) as traffic:
        for number in range(1, 21):
            publish(data, number)
            assert eventually(lambda model_id=f"offers.{number}": model_id in traffic.models)
    assert (traffic.refused, traffic.broken) == ([], 0)
    assert traffic.models >= {f"offers.{number}" for number in range(1, 21)}
    told = {record.event_id: record.model_id for record in server.records() if isinstance(record, Decision)}
    assert set(told.values()) == traffic.models


def test_a_worker_that_dies_is_replaced_and_service_continues(data: Path) -> None:
    with running(data, workers=2) as server:
        with Traffic(server) as traffic:
            victim, _ = server.workers()
            os.kill(victim, signal.SIGKILL)
            assert eventually(lambda: len(server.workers()) == 2 and victim not in server.workers())
            before = len(traffic.rewarded)
            assert eventually(lambda: len(traffic.rewarded) > before + 50)
        assert traffic.refused == []
        logged = Counter(record.event_id for record in server.records() if isinstance(record, Decision))
        assert all(logged[event_id] == 1 for event_id in traffic.decided)


def test_a_worker_that_cannot_be_replaced_does_not_end_the_server(data: Path) -> None:
    """The other serves on, and what was in the way may pass."""
    catalog, aside = data / "catalog.db", data / "aside.db"
    with running(data, workers=2) as server:
        victim, other = server.workers()
        catalog.rename(aside)
        catalog.mkdir()
        os.kill(victim, signal.SIGKILL)
        said = data / "stderr.txt"
        assert eventually(lambda: said.read_text().count("died and is replaced") > MAX_FAILED_STARTS)
        catalog.rmdir()
        aside.rename(catalog)
        assert eventually(lambda: said.read_text().count("serves model=") == 3)
        assert other in server.workers()


def test_counters_go_on_where_a_dead_worker_stopped(data: Path) -> None:
    def decisions() -> float:
        lines = server.get("/metrics").body.decode().splitlines()
        return next(float(line.split()[-1]) for line in lines if line.startswith("rewardloop_decisions_total{"))

    with running(data) as server:
        for _ in range(10):
            server.decide()
        assert decisions() == 10
        [victim] = server.workers()
        os.kill(victim, signal.SIGKILL)
        assert eventually(lambda: server.workers() not in ([], [victim]) and _answers(server.port))
        server.decide()
        assert decisions() == 11


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_soon_and_leaves_no_child(data: Path, number: signal.Signals) -> None:
    with running(data, workers=2) as server, Traffic(server) as traffic:
        workers = server.workers()
        assert eventually(lambda: len(traffic.decided) > 20)
        server.process.send_signal(number)
        assert server.process.wait(PATIENCE_S) == 0
        assert not any(alive(pid) for pid in workers)
    logged = {record.event_id for record in server.records()}
    assert set(traffic.decided) <= logged
    assert "Traceback" not in (data / "stderr.txt").read_text()


def test_workers_leave_when_the_supervisor_is_killed(data: Path) -> None:
    with running(data, workers=2) as server:
        workers = server.workers()
        server.process.kill()
        assert eventually(lambda: not any(alive(pid) for pid in workers))


def test_a_worker_whose_supervisor_is_killed_while_it_starts_leaves_in_silence(data: Path) -> None:
    ours, theirs = socket.socketpair()
    options = WorkerOptions(
        data_directory=str(data), host="127.0.0.1", port=0, worker=0, counts_directory=str(data), link=theirs.fileno()
    )
    ours.close()
    with theirs:
        command = [sys.executable, "-P", "-m", "rewardloop.serving.worker", msgspec.json.encode(options).decode()]
        done = subprocess.run(command, check=False, pass_fds=[theirs.fileno()], capture_output=True, text=True, timeout=PATIENCE_S)
    assert (done.returncode, [line for line in done.stderr.splitlines() if " INFO " not in line]) == (0, [])


def test_a_stalled_client_does_not_hold_up_the_stop(data: Path) -> None:
    with running(data) as server, socket.create_connection(("127.0.0.1", server.port)) as stalled:
        stalled.sendall(b"POST /v1/rewards HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n{")
        time.sleep(0.1)
        server.process.terminate()
        assert server.process.wait(PATIENCE_S) == 0


def test_two_servers_on_one_directory(data: Path) -> None:
    with running(data), pytest.raises(DirectoryInUse, match=r"in use by process .*rewardloop serve a\.yaml b\.yaml"):
        serve(data, "127.0.0.1", 0, 1, lambda _: None)


def test_a_port_that_is_taken(data: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("other")
    register(other, ARMS)
    with running(data) as server, pytest.raises(Conflict, match=f"Port {server.port} of 127.0.0.1 is in use"):
        serve(other, "127.0.0.1", server.port, 1, lambda _: None)


def test_workers_that_cannot_start_say_why(tmp_path: Path) -> None:
    (tmp_path / "catalog.db").write_bytes(b"not a database" * 1000)
    with pytest.raises(AssertionError, match=r"WorkersFailed.*catalog\.db"), running(tmp_path):
        pass


@pytest.mark.parametrize("durability", ["process", "disk"])
def test_a_full_disk_is_said_and_outlived(tmp_path: Path, durability: str) -> None:
    register(tmp_path, ExperimentSettings(experiment="offers", actions=3, log=LogSettings(durability=durability)))  # type: ignore[arg-type]
    with running(tmp_path) as server:
        acknowledged = [server.decide().json()["event_id"]]
        [worker] = server.workers()
        _, hard = resource.prlimit(worker, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
        answers = [server.decide() for _ in range(3)]
        assert [answer.status for answer in answers] == [503] * 3
        assert answers[0].headers["retry-after"] == "1"
        assert answers[0].json()["type"] == "urn:rewardloop:storage-unavailable"
        unready = server.get("/readyz")
        assert (unready.status, unready.json()["experiments"]["offers"]["ready"]) == (503, False)
        resource.prlimit(worker, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, hard))
        acknowledged.append(server.decide().json()["event_id"])
        assert server.get("/readyz").status == 200
        assert [record.event_id for record in server.records()] == acknowledged


@pytest.mark.parametrize("harm", ["golden", "missing", "damaged", "pointer"])
def test_a_bad_model_is_refused_and_the_old_one_stays(data: Path, harm: str) -> None:
    publish(data, 1)
    root = data / "experiments" / "offers"
    with running(data) as server:
        assert server.decide().json()["model_id"] == "offers.1"
        if harm == "golden":
            publish(data, 2, golden_pmf=(0.2, 0.3, 0.5))
        elif harm == "missing":
            _point(root, '{"model_id": "offers.7"}')
        elif harm == "pointer":
            _point(root, "{")
        else:
            _damage(root, data)
        assert eventually(lambda: server.get("/readyz").json()["experiments"]["offers"]["problem"] != "")
        assert server.decide().json()["model_id"] == "offers.1"
        assert server.get("/readyz").status == 200
        assert b'rewardloop_models_refused_total{experiment="offers"} 1.0' in server.get("/metrics").body
        publish(data, 3)
        assert eventually(lambda: server.decide().json()["model_id"] == "offers.3")
        assert server.get("/readyz").json()["experiments"]["offers"]["problem"] == ""


def test_a_bad_model_at_the_start_is_not_ready_but_served_uniformly(data: Path) -> None:
    publish(data, 1, golden_pmf=(0.2, 0.3, 0.5))
    with running(data) as server:
        assert server.get("/readyz").status == 503
        assert server.decide().json()["model_id"] == "offers.0"
        publish(data, 2)
        assert eventually(lambda: server.get("/readyz").status == 200)


def _damage(root: Path, data: Path) -> None:
    publish(data, 9, host=False)
    weights = next(path for path in (root / "models" / "offers.9").iterdir() if path.name != "model.json")
    weights.write_bytes(weights.read_bytes()[:-1])
    _point(root, '{"model_id": "offers.9"}')


def _point(root: Path, pointer: str) -> None:
    """Whole from one instant to the next, as a deployment writes it: half a pointer would be refused too, and counted."""
    (root / "pointer").write_text(pointer)
    (root / "pointer").rename(root / "hosted.json")


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
