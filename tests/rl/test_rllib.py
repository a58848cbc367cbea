"""RLlib as a user meets it: workers that fail are named, a killed run goes on, and nothing of Ray is left behind."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest
import ray

from processes import PATIENCE_S, until
from rewardloop.clock import ManualClock
from rewardloop.errors import InvalidInput, SimulatorFailed, TrainingFailed
from rewardloop.rl.environments import EnvSpec
from rewardloop.rl.rllib.cluster import clear_leftovers, quietly, running
from rewardloop.rl.runs.run import Runs, Watching
from rewardloop.rl.runs.training import resume, start
from rewardloop.rl.toolkit import Plan
from rewardloop.rl.tuning.search import Apart, make_setup, tune
from rewardloop.rl.tuning.study import Trial

TESTS = Path(__file__).parents[1]
SMALL: dict[str, Any] = {"train_batch_size_per_learner": 40, "minibatch_size": 20, "num_epochs": 1, "net_arch": [8]}


def a_plan(env: str = "Tracking", world: dict[str, Any] | None = None, **changes: Any) -> Plan:
    made = {"algorithm": "ppo", "n_steps": 80, "checkpoint_every": 40, "parameters": SMALL, **changes}
    return Plan(env=EnvSpec(f"rl_worlds:{env}", world or {}), toolkit="rllib", **made)


@pytest.fixture(scope="module")
def _ray() -> Iterator[None]:
    with running("", n_cpus=4):
        yield


def test_a_cluster_that_is_not_there_is_said_not_to_be(tmp_path: Path) -> None:
    """First of all here: where Ray runs already, no other is looked for."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # Bound and not listening: nobody answers.
        with pytest.raises(InvalidInput, match=r"No Ray cluster answers at `127\.0\.0\.1"):
            start(Runs(tmp_path), a_plan(ray=f"127.0.0.1:{taken.getsockname()[1]}"), Watching(), ManualClock())


@pytest.mark.usefixtures("_ray")
def test_a_ray_of_ones_own_listens_on_loopback_alone() -> None:
    (node,) = ray.nodes()
    assert node["NodeManagerAddress"] == "127.0.0.1"
    port = f"{node['NodeManagerPort']:04X}"
    for table in ("tcp", "tcp6"):
        rows = [line.split() for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]]
        bound = {row[1].rpartition(":")[0] for row in rows if row[3] == "0A" and row[1].endswith(f":{port}")}
        assert bound <= {"0100007F", "0000000000000000FFFF00000100007F"}, "127.0.0.1, in IPv4's or IPv6's words"


@pytest.mark.usefixtures("_ray")
@pytest.mark.parametrize(
    ("world", "n_workers", "words"),
    [
        ({"fail_at": 5}, 2, r"worker \d of 2 ended.*the boiler burst"),
        ({"hang_at": 5}, 2, r"worker \d of 2 ended.*in time.*rl_worlds.py"),
        ({"fail_at": 5}, 1, "failed at step 5: RuntimeError: the boiler burst"),
        ({"hang_at": 5}, 1, "did not answer step 5 within 4 s"),
    ],
)
def test_a_worker_that_raises_dies_or_hangs_is_named(tmp_path: Path, world: dict[str, Any], n_workers: int, words: str) -> None:
    plan = a_plan(world=world, n_workers=n_workers, step_timeout_s=4.0 if "hang_at" in world else PATIENCE_S)
    with pytest.raises(TrainingFailed if n_workers > 1 else SimulatorFailed, match=words):
        start(Runs(tmp_path), plan, Watching(), ManualClock())
    assert Runs(tmp_path).find("ppo-tracking-1").read().status == "failed"


@pytest.mark.usefixtures("_ray")
def test_a_training_with_two_workers_reaches_its_steps_and_can_go_on(tmp_path: Path) -> None:
    done = start(Runs(tmp_path), a_plan(n_workers=2, normalise=True), Watching(eval_episodes=1), ManualClock())
    assert (done.status, done.n_steps, done.versions["ray"]) == ("done", 80, "2.60.0")
    more = resume(Runs(tmp_path), done.run, ManualClock(), n_steps=120)
    assert (more.status, more.n_steps) == ("done", 120)


@pytest.mark.usefixtures("_ray")
def test_trials_of_a_study_run_side_by_side_are_pruned_and_go_on_where_they_were(tmp_path: Path) -> None:
    plan = msgspec.structs.replace(
        a_plan(), toolkit="sb3", parameters={"n_steps": 40, "batch_size": 20, "n_epochs": 1, "net_arch": [4]}
    )
    setup = make_setup(plan, ["learning_rate=0.0,0.02", "gamma=0.5:0.9"], 1, ("on-policy",))
    said: list[Trial] = []
    tune(tmp_path / "study", setup, n_trials=3, seed=0, apart=Apart(at_once=2), say=said.append)
    assert len(said) == 3
    more = tune(tmp_path / "study", setup, n_trials=6, seed=0, apart=Apart(at_once=2))
    assert (more.n_trials, {trial.state for trial in more.trials} <= {"complete", "pruned"}) == (6, True)
    assert all(trial.value is not None and trial.value < 0 for trial in more.trials)
    assert tune(tmp_path / "study", setup, n_trials=6, seed=0) == more, "one after another goes on with the same study"
    wrong = make_setup(plan, ["gamma=0.5:0.9"], 1, ("on-policy",))
    with pytest.raises(TrainingFailed, match="5 trials in a row failed"):
        tune(tmp_path / "lost", msgspec.structs.replace(wrong, plan=failing(plan)), n_trials=20, seed=0, apart=Apart(at_once=2))
    with pytest.raises(InvalidInput, match="one worker each"):
        tune(tmp_path / "many", make_setup(a_plan(n_workers=2), [], 1, ()), n_trials=1, seed=0, apart=Apart())


def failing(plan: Plan) -> Plan:
    return msgspec.structs.replace(plan, env=EnvSpec("rl_worlds:Tracking", {"fail_at": 5}))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"algorithm": "sac", "env": "Several"}, "these can: ppo"),
        ({"normalise": True, "env": "Pixels"}, "real numbers to normalise"),
        ({"parameters": {"activation": "rely"}}, "did you mean `relu`"),
        ({"parameters": {"minibatch_size": 100, "train_batch_size_per_learner": 40}}, "refuses its hyperparameters"),
    ],
)
def test_what_cannot_work_is_refused_before_ray_is_started(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        start(Runs(tmp_path), a_plan(**changes), Watching(), ManualClock())


VISIT = """
import sys
from pathlib import Path
import ray
from rewardloop.clock import SystemClock
from rewardloop.rl.rllib.cluster import running
from rewardloop.rl.runs.run import Runs, Watching
from rewardloop.rl.runs.training import start
from rl.test_rllib import a_plan
if __name__ == "__main__":
    near, far, data = sys.argv[1:]
    with running(near, 1):
        print(ray.get(ray.remote(lambda: 2**5).remote()), flush=True)
    done = start(Runs(Path(data)), a_plan(n_workers=2, ray=far), Watching(eval_episodes=1), SystemClock())
    print(done.status, done.n_steps, done.best is not None, flush=True)
"""


def test_a_cluster_is_visited_by_its_address_and_through_its_client_port(tmp_path: Path, short: Path) -> None:
    """A real head on loopback, with a token: by HOST:PORT, as from one of its nodes, and by ray://HOST:PORT, as from anywhere."""
    gcs, client, agent = free_port(), free_port(), free_port()
    given = {
        **os.environ,
        "PYTHONPATH": str(TESTS),
        "RAY_AUTH_TOKEN": "a-token-of-a-test-that-is-long-enough-0123",
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
        "TMPDIR": str(short),
    }
    options = ["--node-ip-address=127.0.0.1", f"--port={gcs}", f"--ray-client-server-port={client}", "--include-dashboard=false"]
    ports = ["--min-worker-port=0", "--max-worker-port=0", f"--dashboard-agent-listen-port={agent}", f"--temp-dir={short}/s"]
    head = [sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block", "--num-cpus=2", *options, *ports]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(head, env=given, stdout=quiet, stderr=quiet, start_new_session=True) as process:
        try:
            until(lambda: answers(gcs) and answers(client))
            command = [sys.executable, "-c", VISIT, f"127.0.0.1:{gcs}", f"ray://127.0.0.1:{client}", str(tmp_path)]
            visit = subprocess.run(command, env=given, capture_output=True, text=True, timeout=600, check=False)
            assert visit.stdout.split("\n")[:2] == ["32", "done 80 True"], visit.stderr
        finally:
            os.killpg(process.pid, signal.SIGTERM)
    until(lambda: _of_ray(short, "/s/") == [])


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


SCRIPT = """
import os, sys
from pathlib import Path
from rewardloop.clock import SystemClock
from rewardloop.rl.runs.run import Runs, Watching
from rewardloop.rl.runs.training import start
from rl.test_rllib import a_plan
def show(report):
    print(report.progress.n_steps, flush=True)
plan = a_plan(n_steps=10**9, n_workers=int(sys.argv[2]))
start(Runs(Path(sys.argv[1])), plan, Watching(eval_episodes=0), SystemClock(), name="cut", show=show)
"""


@pytest.fixture
def short() -> Iterator[Path]:
    """The names of sockets have a limit."""
    with TemporaryDirectory(prefix="rl-", dir="/tmp") as directory:
        yield Path(directory)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_nothing_of_ray_outlives_its_trainer(tmp_path: Path, short: Path, number: signal.Signals) -> None:
    given = {**os.environ, "PYTHONPATH": str(TESTS), "TMPDIR": str(short)}
    command = [sys.executable, "-c", SCRIPT, str(tmp_path), "2" if number == signal.SIGKILL else "1"]
    with subprocess.Popen(command, env=given, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True) as trainer:
        assert trainer.stdout is not None
        assert trainer.stdout.readline()
        assert _of_ray(short)
        _end(trainer, number)
    until(lambda: _of_ray(short) == [])
    clear_leftovers(short)
    assert not list(short.glob("rewardloop-ray-*"))
    assert Runs(tmp_path).find("cut").read().status == ("interrupted" if number == signal.SIGINT else "running")


def _end(trainer: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Killed at last: where SIGINT is ignored, as in jobs of a background shell, the test fails and leaves nothing behind."""
    for again in (number, signal.SIGKILL):
        os.killpg(trainer.pid, again)
        with suppress(subprocess.TimeoutExpired):
            trainer.wait(PATIENCE_S)
            return


def _of_ray(directory: Path, session: str = "/rewardloop-ray-") -> list[str]:
    """Command lines of processes that name the session in the directory."""
    found = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = process.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if f"{directory}{session}" in words:
            found.append(words)
    return found


def test_ray_says_nothing_of_its_own_future_and_is_as_loud_as_before_afterwards() -> None:
    loud = [logging.getLogger(name) for name in ("ray.rllib.algorithms.algorithm_config", "ray.core")]
    before = [logger.isEnabledFor(logging.ERROR) for logger in loud]
    with quietly():
        assert [logger.isEnabledFor(logging.ERROR) for logger in loud] == [False, False]
    assert [logger.isEnabledFor(logging.ERROR) for logger in loud] == before
