"""Logged episodes: recorded from a trained policy, written, read, refused; another policy judged on them; from the own log."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rewardloop.clock import ManualClock
from rewardloop.errors import InvalidInput
from rewardloop.loop.experiment import Experiment
from rewardloop.rl.environments import make_env
from rewardloop.rl.logged.acting import ServedPolicy, to_action
from rewardloop.rl.logged.evaluating import judge
from rewardloop.rl.logged.experiments import gather
from rewardloop.rl.logged.files import KEY, read_episodes, write_episodes
from rewardloop.rl.logged.recording import record
from rewardloop.rl.playing.evaluating import seeds_of
from rewardloop.rl.runs.run import RunDirectory, Runs, Watching
from rewardloop.rl.runs.training import start
from rewardloop.rl.toolkit import load_toolkit
from rewardloop.settings import ExperimentSettings
from rl.test_training import SMALL, a_plan


def a_run(data: Path, env: str = "Choosing", **changes: Any) -> RunDirectory:
    plan = a_plan(env, n_steps=80, checkpoint_every=80, parameters=SMALL, **changes)
    return Runs(data).find(start(Runs(data), plan, Watching(eval_episodes=0), ManualClock()).run)


def served(run: RunDirectory, explore: float = 0.0) -> ServedPolicy:
    plan = run.read().plan
    return ServedPolicy(load_toolkit(plan.toolkit).export(plan, run.chosen("last")), explore=explore)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs on a discrete environment, and 30 episodes of the first."""
    data = tmp_path_factory.mktemp("data")
    run = a_run(data)
    a_run(data, seed=5)
    record(run, "last", seeds_of(30), {}, data / "episodes.parquet", explore=0.3)
    return data


def test_what_is_recorded_is_what_was_played(data: Path) -> None:
    logged = read_episodes(data / "episodes.parquet")
    assert (len(logged), len(logged.reward), logged.header.n_actions) == (30, 600, 3)
    assert not logged.terminated.any()
    assert logged.pmf is not None
    assert logged.probability is not None
    assert logged.last is not None
    np.testing.assert_allclose(logged.pmf.sum(axis=1), 1, atol=1e-12)
    np.testing.assert_array_equal(logged.probability, logged.pmf[np.arange(600), logged.action])
    assert logged.pmf.min() >= 0.1 - 1e-12
    env = make_env(logged.header.env)  # type: ignore[arg-type]
    observation, _ = env.reset(seed=int(logged.ids[3]))
    for t in range(*logged.offsets[3:5]):
        np.testing.assert_array_equal(logged.observation[t], observation)
        observation, reward, *_ = env.step(int(logged.action[t]))
        assert reward == logged.reward[t]
        np.testing.assert_array_equal(logged.following[t], observation)
    env.close()


def test_the_same_seeds_record_the_same_bytes(data: Path, tmp_path: Path) -> None:
    record(Runs(data).find("ppo-choosing-1"), "last", seeds_of(30), {}, tmp_path / "again.parquet", explore=0.3)
    assert (tmp_path / "again.parquet").read_bytes() == (data / "episodes.parquet").read_bytes()


def test_actions_are_drawn_as_often_as_their_probability_says(data: Path) -> None:
    """A frequency 4 standard errors off is seen once in 16,000 times."""
    logged = read_episodes(data / "episodes.parquet")
    assert logged.pmf is not None
    taken = np.eye(3)[logged.action]
    error = np.sqrt((logged.pmf * (1 - logged.pmf)).sum(axis=0))
    assert (np.abs((taken - logged.pmf).sum(axis=0)) < 4 * error).all()


@pytest.mark.parametrize("env", ["Tracking", "Several", "Switches", "Masked"])
def test_every_kind_of_action_is_recorded_read_and_judged(tmp_path: Path, env: str) -> None:
    run = a_run(tmp_path, env, algorithm="maskableppo" if env == "Masked" else "ppo")
    record(run, "last", seeds_of(24), {}, tmp_path / "e.parquet", explore=0.2)
    logged = read_episodes(tmp_path / "e.parquet")
    report = judge(logged, served(run, 0.2), gamma=0.5, model="linear")
    assert report.estimates["pdis"].value == pytest.approx(report.logged.value, rel=1e-9)
    assert report.supported
    if env == "Masked":
        assert logged.masks is not None
        assert logged.masks[np.arange(len(logged.action)), logged.action].all()
    if env == "Tracking":
        assert logged.header.low == (10.0, -5.0)
        assert (np.array(logged.header.low) <= logged.action).all()
        assert (logged.action <= np.array(logged.header.high)).all()


def test_another_policy_is_judged_by_what_it_really_earns(data: Path, tmp_path: Path) -> None:
    """Discounted by a half, so that 20 steps do not wash the weights away; the truth is from 300 episodes of its own."""
    other = Runs(data).find("ppo-choosing-2")
    report = judge(read_episodes(data / "episodes.parquet"), served(other, 0.2), gamma=0.5, model="linear")
    record(other, "last", range(300), {}, tmp_path / "own.parquet", explore=0.2)
    own = read_episodes(tmp_path / "own.parquet")
    discount = 0.5 ** (np.arange(len(own.reward)) % 20)
    truth = float((own.reward * discount).sum() / len(own))
    best = report.estimates["wdr"]
    assert best.lower - 0.1 < truth < best.upper + 0.1


def test_an_arm_stands_for_one_action_and_the_last_choice_is_the_fastest() -> None:
    several, switches = (make_env(a_plan(name).env).action_space for name in ("Several", "Switches"))
    assert [to_action(several, arm).tolist() for arm in (0, 1, 2, 5)] == [[0, 0], [0, 1], [1, 0], [2, 1]]
    assert to_action(switches, 2).tolist() == [1, 0]
    assert all(several.contains(to_action(several, arm)) for arm in range(6))


def test_a_file_of_others_needs_three_columns(tmp_path: Path) -> None:
    path = tmp_path / "theirs.parquet"
    pq.write_table(pa.table({"observations": [[0.5, 1.5], [2.0]], "actions": [[0, 1], [1]], "rewards": [[1, 2], [3]]}), path)
    logged = read_episodes(path)
    assert (logged.observation.shape, logged.header.n_actions, logged.returns.tolist()) == ((3, 1), 2, [3, 3])
    assert logged.terminated.all()
    with pytest.raises(InvalidInput, match="probability of each logged action"):
        logged.trajectories()


GOOD: dict[str, Any] = {"observations": [[[0.0], [1.0]]], "actions": [[0, 1]], "rewards": [[1.0, 2.0]]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rewards": [[1.0, None]]}, r"Expected no nulls - at `\$.rewards`"),
        ({"rewards": [[1.0, float("nan")]]}, "Expected finite numbers, got `nan`"),
        ({"rewards": [[]]}, "at least one step"),
        ({"rewards": ["x"]}, r"Expected lists of double, 1 deep: Unsupported cast"),
        ({"observations": [[[0.0], [1.0, 2.0]]]}, "Expected 1 numbers in each step, got 2"),
        (
            {"observations": [[[0.0]]]},
            r"or 3 with the last, alike in all episodes, got 1 - at `\$\[0\].observations`",
        ),
        ({"actions": [[0]]}, r"Expected 2 items as in `rewards`, got 1"),
        ({"actions": [[0, -1]]}, "Expected actions from 0 to 0, got -1"),
        ({"pmfs": [[[1.0], [1.0]]]}, "Expected 2 numbers in each step, got 1"),
        ({"terminations": [[True, False]]}, r"end at its last step - at `\$\[0\].terminations`"),
    ],
)
def test_a_file_that_cannot_be_is_refused(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    pq.write_table(pa.table({**GOOD, **change}), tmp_path / "bad.parquet")
    with pytest.raises(InvalidInput, match=message):
        read_episodes(tmp_path / "bad.parquet")


@pytest.mark.parametrize(
    ("header", "change", "message"),
    [
        (b'{"inputs": ["a", "b"]}', {}, "Expected names of 1 numbers, got 2"),
        (b'{"n_actions": -1}', {}, "n_actions"),
        (b'{"n_actions": 1000000000000}', {}, "Expected at most 1,000 numbered actions"),
        (b"{}", {"actions": [[0, 10**15]]}, "Expected at most 1,000 numbered actions"),
        (b'{"low": [0], "high": [1]}', {}, "Expected the box of 0 continuous actions"),
        (b'{"low": [2.0], "high": [1.0]}', {"actions": [[0.5, 1.5]]}, "Expected the box of 1 continuous actions"),
        (b'{"low": "x"}', {}, "Expected a header of episodes"),
        (b"\xff", {}, "Expected a header of episodes"),
    ],
)
def test_a_header_that_cannot_be_is_refused(tmp_path: Path, header: bytes, change: dict[str, Any], message: str) -> None:
    pq.write_table(pa.table({**GOOD, **change}).replace_schema_metadata({KEY: header}), tmp_path / "bad.parquet")
    with pytest.raises(InvalidInput, match=message):
        read_episodes(tmp_path / "bad.parquet")


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1" + bytes(60) + b"PAR1"])
def test_what_is_no_parquet_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.parquet").write_bytes(content)
    with pytest.raises(InvalidInput, match="Expected a Parquet file"):
        read_episodes(tmp_path / "bad.parquet")
    with pytest.raises(InvalidInput, match="Expected a Parquet file"):
        read_episodes(tmp_path / "none.parquet")


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    pq.write_table(pa.table({"actions": [[0]]}), tmp_path / "bad.parquet")
    with pytest.raises(InvalidInput, match="Expected columns observations, actions, rewards, got actions"):
        read_episodes(tmp_path / "bad.parquet")


def test_a_policy_that_sees_or_does_something_else_is_refused(data: Path, tmp_path: Path) -> None:
    logged = read_episodes(data / "episodes.parquet")
    with pytest.raises(InvalidInput, match="the actions of these episodes are numbered"):
        judge(logged, served(a_run(tmp_path, "Tracking")))
    with pytest.raises(InvalidInput, match=r"sees `observation.a\[0\]`, one of 3 numbers; these episodes hold 2 others"):
        judge(logged, served(a_run(tmp_path, "Several")))


def test_episodes_come_from_the_own_log_by_their_ids(tmp_path: Path) -> None:
    settings = ExperimentSettings(experiment="walk", actions=("left", "right"))
    clock = ManualClock()
    with Experiment.open(settings, tmp_path, clock=clock) as walk:
        told: dict[str, int] = {}
        for episode, n in (("a", 3), ("b:x", 11), ("broken", 2)):
            for step in range(n):
                at = step + (episode == "broken")
                event_id = f"{episode}:{at}"
                told[event_id] = walk.decide({"observation": [at / 10, 1.0], "weather": "fine"}, event_id=event_id).action
                walk.reward(event_id, float(at), final=True)
        unmarked = walk.decide({"observation": [0.0, 0.0]})
        walk.reward(unmarked.event_id, 1.0, final=True)
        logged, counts = gather(walk.join().interactions(), policy="walk")
    assert msgspec.to_builtins(counts) == {
        "n_episodes": 2, "n_steps": 14, "n_unmarked": 1, "n_broken": 1, "first_broken": "broken"
    }  # fmt: skip
    assert logged is not None
    assert logged.ids == ("a", "b:x")
    assert logged.reward.tolist() == [0, 1, 2, *range(11)]
    assert logged.header.inputs == ("observation[0]", "observation[1]")
    assert logged.observation[:4, 0].tolist() == [0.0, 0.1, 0.2, 0.0]
    assert logged.action.tolist() == [told[f"a:{i}"] for i in range(3)] + [told[f"b:x:{i}"] for i in range(11)]
    write_episodes(tmp_path / "walk.parquet", logged)
    again = read_episodes(tmp_path / "walk.parquet")
    assert again.last is None
    np.testing.assert_array_equal(again.pmf, logged.pmf)  # type: ignore[arg-type]


def test_words_in_an_observation_are_refused_by_their_event(tmp_path: Path) -> None:
    settings = ExperimentSettings(experiment="walk", actions=2)
    with Experiment.open(settings, tmp_path, clock=ManualClock()) as walk:
        walk.decide({"place": "here"}, event_id="a:0")
        walk.reward("a:0", 1.0, final=True)
        with pytest.raises(
            InvalidInput, match=r"Expected a number at `place` of the context in every step of an episode - at `a:0`"
        ):
            gather(walk.join().interactions())
