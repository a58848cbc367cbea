"""Simulators in processes of their own: the same trajectories, drops survived, nonsense and strangers named and shown out."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st

from processes import PATIENCE_S, kept_port, until
from rewardloop.clock import SECOND, ManualClock, SystemClock
from rewardloop.errors import Conflict, InvalidInput, SimulatorFailed, SimulatorHung
from rewardloop.rl.environments import EnvSpec, make_env, masks_of
from rewardloop.rl.runs.run import Runs, Watching
from rewardloop.rl.runs.training import start
from rewardloop.rl.toolkit import Plan
from rewardloop.simulators.remote.environment import connected
from rewardloop.simulators.remote.listening import address_of
from rewardloop.simulators.remote.messages import from_simulator
from rewardloop.simulators.remote.spaces import described, heard, said, understood
from rewardloop.simulators.remote.websocket import Lost, Peer, greet

TESTS = Path(__file__).parents[2]
JAVASCRIPT = TESTS.parent / "clients/javascript"
DISCRETE = {"type": "discrete", "n": 3}
HELLO = {"type": "hello", "protocol": 1, "name": "hall", "observation_space": DISCRETE, "action_space": DISCRETE}
Talk = Callable[[Peer], None]


@pytest.fixture
def port() -> Iterator[int]:
    with kept_port() as kept:
        yield kept


@contextlib.contextmanager
def simulator(env: str, port: int, *more: str) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "rewardloop", "rl", "simulate", "--env", env, "--to", str(port), *more]
    with subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(TESTS)}, stdout=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


def remote(port: int, **parameters: Any) -> Any:
    return make_env(EnvSpec(f"remote:{port}", {"connect_timeout_s": PATIENCE_S, **parameters}))


@contextlib.contextmanager
def talking(port: int, *talks: Talk) -> Iterator[None]:
    """Simulators written by hand, one connection after the other, each as soon as the trainer listens."""

    def run() -> None:
        for talk in talks:
            peer = patient(port)
            try:
                talk(peer)
            except Lost:
                pass
            finally:
                peer.close()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        thread.join()


def patient(port: int) -> Peer:
    met: list[Peer] = []

    def greeted() -> bool:
        with contextlib.suppress(Lost):
            met.append(greet("127.0.0.1", port, SystemClock(), PATIENCE_S))
        return bool(met)

    until(greeted)
    return met[0]


def tell(peer: Peer, message: Any) -> None:
    peer.send(json.dumps(message).encode(), PATIENCE_S)


def hear(peer: Peer) -> Any:
    return json.loads(peer.receive(PATIENCE_S))


def playing(changes: dict[str, Any] | None = None, hello: dict[str, Any] | None = None, n: int = 1) -> Talk:
    """Answers n requests rightly, the others with the changes."""

    def talk(peer: Peer) -> None:
        tell(peer, {**HELLO, **(hello or {})})
        if hear(peer)["type"] != "welcome":
            return
        for i in itertools.count():
            asked = hear(peer)
            if asked["type"] == "close":
                return
            right = {"type": "state", "id": asked["id"], "observation": 1}
            tell(peer, right if i < n else {**right, **(changes or {})})

    return talk


def trajectory(env: Any, seeds: list[int | None]) -> list[Any]:
    """Every observation, reward and end, and what was possible."""
    seen: list[Any] = []
    env.action_space.seed(0)
    for seed in seeds:
        seen.append(flat(env.reset(seed=seed)[0]))
        over = False
        while not over:
            masks = masks_of(env)
            action = int(np.flatnonzero(masks)[0]) if masks is not None else env.action_space.sample()
            observation, reward, terminated, truncated, _ = env.step(action)
            seen.append((flat(observation), reward, terminated, truncated))
            over = terminated or truncated
    return seen


def flat(observation: Any) -> Any:
    if isinstance(observation, dict):
        return {name: flat(part) for name, part in observation.items()}
    return (observation.dtype, observation.shape, observation.tobytes()) if isinstance(observation, np.ndarray) else observation


@pytest.mark.parametrize("env", ["rl_worlds:Tracking", "rl_worlds:Several", "rl_worlds:Pixels", "rewardloop/Knapsack-v0"])
def test_a_trajectory_is_that_of_the_local_environment_to_the_bit(env: str, port: int) -> None:
    here = make_env(EnvSpec(env))
    with simulator(env, port):
        there = remote(port)
        assert there.observation_space == here.observation_space
        assert there.action_space == here.action_space
        assert trajectory(there, [3, 4, None]) == trajectory(here, [3, 4, None])
        there.close()


def test_a_simulator_killed_in_an_episode_ends_it_and_the_next_goes_on(port: int) -> None:
    here = make_env(EnvSpec("rl_worlds:Tracking"))
    with simulator("rl_worlds:Tracking", port) as first:
        there = remote(port)
        seen, _ = there.reset(seed=5)
        there.step(there.action_space.sample())
        first.send_signal(signal.SIGKILL)
        first.wait()
        seen = there.unwrapped._last
        again, reward, terminated, truncated, info = there.step(there.action_space.sample())
        assert (reward, terminated, truncated, info["metrics"]) == (0.0, False, True, {"lost": 1.0})
        assert info["lost"]
        assert np.array_equal(again, seen)
        with pytest.raises(Conflict, match="reset"):
            there.step(there.action_space.sample())
    with simulator("rl_worlds:Tracking", port):
        assert trajectory(there, [5]) == trajectory(here, [5])
        there.close()


def test_a_training_survives_its_simulators_deaths(tmp_path: Path, port: int) -> None:
    plan = Plan(
        env=EnvSpec(f"remote:{port}"), toolkit="sb3", algorithm="ppo", n_steps=120, parameters={"n_steps": 40, "batch_size": 20}
    )
    done, deaths = threading.Event(), list[int]()

    def replace_the_dead() -> None:
        while not done.is_set():
            with simulator("rl_worlds:Mortal", port) as process:
                until(lambda: done.is_set() or process.poll() is not None)
                deaths.extend([process.returncode] if process.returncode else [])

    thread = threading.Thread(target=replace_the_dead)
    thread.start()
    try:
        manifest = start(Runs(tmp_path), plan, Watching(eval_episodes=0), ManualClock())
    finally:
        done.set()
        thread.join()
    assert (manifest.status, manifest.n_steps, deaths) == ("done", 120, [-signal.SIGKILL] * 2)
    assert manifest.spaces == "box[2] → 3 choices"


@pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not installed")
def test_a_simulator_in_javascript_is_trained_on_and_repeats_itself(tmp_path: Path, port: int) -> None:
    command = ["node", str(JAVASCRIPT / "examples/thermostat.mjs"), f"ws://127.0.0.1:{port}"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            env = remote(port)
            assert trajectory(env, [7]) == trajectory(env, [7])
            env.close()
            plan = Plan(
                env=EnvSpec(f"remote:{port}"),
                toolkit="sb3",
                algorithm="ppo",
                n_steps=80,
                parameters={"n_steps": 40, "batch_size": 20},
            )
            assert start(Runs(tmp_path), plan, Watching(eval_episodes=0), ManualClock()).status == "done"
        finally:
            process.kill()


@pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not installed")
def test_a_simulator_in_javascript_that_waits_says_so_once(port: int) -> None:
    waiting = f"""
        import {{ serve }} from "{(JAVASCRIPT / "rewardloop-remote.mjs").as_uri()}";
        const simulator = {{ observationSpace: {{}}, actionSpace: {{}} }};
        await serve(simulator, {{ url: "ws://127.0.0.1:{port}", name: "thermostat", say: console.log, giveUpAfter: 1 }});
    """
    said = subprocess.run(["node", "--input-type=module", "-e", waiting], capture_output=True, text=True, check=True).stdout
    assert said.count("nobody answers") == 1


@pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not installed")
def test_a_refusal_reaches_javascript(port: int, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("a token of some length")
    command = ["node", str(JAVASCRIPT / "examples/thermostat.mjs"), f"ws://127.0.0.1:{port}", "wrong"]
    clock = ManualClock()
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:

        def give_up_when_it_has_ended() -> None:
            process.wait()
            clock.advance(61 * SECOND)

        thread = threading.Thread(target=give_up_when_it_has_ended)
        thread.start()
        with pytest.raises(SimulatorHung, match="refused: expected the trainer's token"):
            connected(str(port), token_file=str(tmp_path / "token"), clock=clock)
        thread.join()
        assert process.stderr is not None
        assert b"expected the trainer's token" in process.stderr.read()


def test_changed_spaces_are_refused_by_name(port: int) -> None:
    other = {"observation_space": {"type": "discrete", "n": 4}, "version": "2"}
    refused: list[Any] = []
    clock = ManualClock()

    def changed(peer: Peer) -> None:
        tell(peer, {**HELLO, **other})
        refused.append(hear(peer))
        clock.advance(61 * SECOND)

    def leaving(peer: Peer) -> None:
        tell(peer, HELLO)
        hear(peer)

    with talking(port, leaving, changed):
        env = connected(str(port), clock=clock)
        with pytest.raises(SimulatorHung, match=r"version `` became `2`\): observation_space.n: 3 became 4"):
            env.reset(seed=1)
    assert refused[0]["code"] == "spaces-changed"


def test_a_token_is_asked_for(port: int, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("0123456789abcdef\n")
    refused: list[str] = []

    def saying(hello: dict[str, Any]) -> Talk:
        def talk(peer: Peer) -> None:
            tell(peer, {**HELLO, **hello})
            refused.append(hear(peer)["code"])

        return talk

    with talking(port, saying({}), saying({"token": "0123456789abcdeg"}), playing(hello={"token": "0123456789abcdef"})):
        env = connected(str(port), token_file=str(file), connect_timeout_s=PATIENCE_S)
        env.reset(seed=0)
        env.close()
    assert refused == ["token", "token"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"observation": 3}, "Expected a value of Discrete"),
        ({"observation": "1"}, "Expected a value of Discrete"),
        ({"observation": True}, "Expected a value of Discrete"),
        ({"reward": "much"}, "Expected `float`"),
        ({"id": 77}, "expected the answer to"),
        ({"type": "hello"}, "expected a message|expected `state`"),
        ({"type": "shell"}, "Invalid value 'shell'"),
        ({"metrics": {str(i): 1.0 for i in range(101)}}, "at most 100 metrics"),
    ],
)
def test_nonsense_ends_the_episode_and_is_quoted(changes: dict[str, Any], words: str, port: int) -> None:
    with talking(port, playing(changes, n=1), playing()):
        env = connected(str(port))
        env.reset(seed=0)
        _, _, _, truncated, info = env.step(1)
        assert truncated
        assert env.reset(seed=0)[0] == 1
        env.close()
    assert re.search(words, info["lost"])


def heard_until_here(peer: Peer) -> None:
    """Returns when the other end has read all that was said: a ping is answered after it."""
    peer._sock.sendall(peer._frame(9, b""))
    assert peer._next_frame(125)[1] == 10


def test_a_simulator_that_hangs_is_left_and_signs_of_life_are_heard(port: int) -> None:
    clock = ManualClock()

    def silent(peer: Peer) -> None:
        tell(peer, HELLO)
        for _ in range(2):
            asked = hear(peer)
        tell(peer, {"type": "state", "id": asked["id"], "observation": 1})
        hear(peer)
        heard_until_here(peer)  # It waits: only now is there anything to be late for.
        clock.advance(2 * SECOND)
        hear(peer)  # Until it is left.

    def slow(peer: Peer) -> None:
        tell(peer, HELLO)
        hear(peer)
        asked = hear(peer)
        for _ in range(3):
            clock.advance(SECOND)
            tell(peer, {"type": "working"})
            heard_until_here(peer)
        tell(peer, {"type": "state", "id": asked["id"], "observation": 2})
        hear(peer)

    with talking(port, silent, slow):
        env = connected(str(port), step_timeout_s=1.5, clock=clock)
        env.reset(seed=0)
        assert "did not answer in time" in env.step(0)[4]["lost"]
        assert env.reset(seed=0)[0] == 2
        env.close()


def test_what_the_simulator_says_of_itself_is_raised(port: int) -> None:
    with talking(port, playing({"type": "error", "message": "the boiler burst"})):
        env = connected(str(port))
        env.reset(seed=0)
        with pytest.raises(SimulatorFailed, match="The simulator `hall` failed: the boiler burst"):
            env.step(0)
        env.close()


def test_a_simulator_that_is_always_lost_ends_the_run(port: int) -> None:
    with talking(port, *[playing({"observation": 9}, n=0)] * 5):
        env = connected(str(port))
        with pytest.raises(SimulatorFailed, match="lost 5 times without a whole episode: Expected a value"):
            env.reset(seed=0)


def test_strangers_are_shown_out(port: int) -> None:
    """Not HTTP, an endless head, another protocol, a giant frame, an unmasked one: and the right one still gets in."""

    def raw(*parts: bytes) -> None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 5) as sock:
            for part in parts:
                sock.sendall(part)
            sock.settimeout(5)
            while sock.recv(1 << 16):
                pass

    upgrade = b"GET / HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x\r\n"

    def run() -> None:
        patient(port).close()
        raw(b"\x16\x03\x01\x02\x00 no HTTP\r\n\r\n")
        raw(b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 5000)
        raw(upgrade + b"\r\n", b"\x81\xff" + (1 << 62).to_bytes(8))
        raw(upgrade + b"\r\n", b"\x81\x05hello")
        raw(upgrade + b"Origin: https://evil.example\r\n\r\n", framed({**HELLO}))
        raw(upgrade + b"\r\n", framed({**HELLO, "protocol": 2}))
        raw(upgrade + b"\r\n", framed({**HELLO, "action_space": {"type": "box", "shape": [1 << 40], "low": 0, "high": 1}}))
        raw(upgrade + b"\r\n", framed("[" * 100_000))
        peer = patient(port)
        with contextlib.suppress(Lost):
            playing()(peer)
        peer.close()

    thread = threading.Thread(target=run)
    thread.start()
    env = connected(str(port), connect_timeout_s=PATIENCE_S)
    assert env.reset(seed=0)[0] == 1
    env.close()
    thread.join()


def framed(message: Any) -> bytes:
    text = message.encode() if isinstance(message, str) else json.dumps(message).encode()
    return b"\x81\xff" + len(text).to_bytes(8) + b"\0\0\0\0" + text


def test_nobody_comes(port: int) -> None:
    with pytest.raises(SimulatorHung, match=r"within 0\.2 s, none did; start one"):
        connected(str(port), connect_timeout_s=0.2)


@pytest.mark.parametrize("address", ["", "x", "7777:", "0", "70000", "host:-1", "١"])
def test_addresses_are_checked(address: str) -> None:
    with pytest.raises(InvalidInput, match="PORT or HOST:PORT"):
        address_of(address)


def test_other_hosts_need_a_token_and_tokens_some_length(tmp_path: Path, port: int) -> None:
    with pytest.raises(InvalidInput, match="Expected a token to listen at"):
        connected(f"0.0.0.0:{port}")
    (tmp_path / "token").write_text("short")
    with pytest.raises(InvalidInput, match="16 to 1000 characters"):
        connected(str(port), token_file=str(tmp_path / "token"))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["a", "b", "type", "n"]), inner, max_size=3),
    max_leaves=8,
)
SPACES = (
    spaces.Box(-1, 1, (2,), np.float32),
    spaces.Box(0, 255, (2, 2), np.uint8),
    spaces.Box(-np.inf, np.inf, (1,), np.float64),
    spaces.Discrete(3, start=-1),
    spaces.MultiDiscrete([2, 3]),
    spaces.MultiBinary(2),
    spaces.Dict({"a": spaces.Discrete(2), "b": spaces.Dict({"a": spaces.Box(0, 1, (1,), np.float32)})}),
)


@settings(max_examples=150, deadline=None)
@given(VALUES, st.sampled_from(SPACES))
def test_a_value_from_outside_is_in_the_space_or_refused(value: Any, space: Any) -> None:
    try:
        assert space.contains(heard(space, value, "$"))
    except InvalidInput as error:
        assert "at `$" in str(error)


@settings(max_examples=60, deadline=None)
@given(VALUES, st.binary(max_size=60))
def test_what_is_no_space_and_no_message_is_refused(value: Any, text: bytes) -> None:
    with contextlib.suppress(InvalidInput):
        understood({"type": "box", "shape": value, "low": value, "high": value} if isinstance(value, list) else {"a": value}, "$")
    with contextlib.suppress(Lost):
        from_simulator(text)


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_spaces_and_values_travel_whole(space: Any) -> None:
    travelled = understood(json.loads(json.dumps(described(space))), "$")
    assert travelled == space
    space.seed(0)
    for _ in range(20):
        value = space.sample()
        assert flat(heard(travelled, json.loads(json.dumps(said(space, value))), "$")) == flat(
            value if not isinstance(value, np.integer) else int(value)
        )
