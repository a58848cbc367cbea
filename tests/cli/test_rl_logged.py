"""Episodes recorded, another policy judged on them, and refused where they cannot tell: through the command line."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rewardloop.rl.logged.files import KEY

TRAIN = (
    "rl",
    "train",
    "--env",
    "CartPole-v1",
    "--algo",
    "a2c",
    "--steps",
    "40",
    "--checkpoint-every",
    "40",
    "--eval-episodes",
    "0",
)


@pytest.fixture
def runs(rewardloop, tmp_path, monkeypatch):
    """Two runs, `one` and `two`, and ten episodes of the first with three actions in ten at random."""
    monkeypatch.chdir(tmp_path)
    for name, seed in (("one", "1"), ("two", "2")):
        assert rewardloop(*TRAIN, "--seed", seed, "--run", name).code == 0
    recorded = rewardloop("rl", "evaluate", "one", "--episodes", "60", "--record", "e.parquet", "--explore", "0.3")
    assert recorded.code == 0
    assert "Wrote e.parquet" in recorded.err
    return rewardloop


def test_a_policy_is_judged_on_anothers_episodes(runs):
    shown = runs("rl", "off-policy", "e.parquet", "--policy", "one", "--explore", "0.3", "--model", "linear")
    assert shown.code == 0
    assert "like what was logged" in shown.out
    assert "magic" in shown.out
    found = json.loads(runs("rl", "off-policy", "e.parquet", "--policy", "two", "--model", "linear", "--json").out)
    assert found["report"]["estimates"].keys() >= {"wdr", "dr", "fqe", "magic"}
    assert np.isfinite(found["report"]["logged"]["value"])


def test_episodes_that_cannot_tell_are_code_3_and_no_estimate(runs):
    assert runs("rl", "evaluate", "one", "--episodes", "10", "--record", "few.parquet").code == 0
    shown = runs("rl", "off-policy", "few.parquet", "--policy", "two", "--model", "linear")
    assert shown.code == 3
    assert "These episodes cannot tell" in shown.out
    assert "mean weight" in shown.out
    assert "magic" not in shown.out


def test_mistakes_are_named(runs):
    assert "Expected --record beside it" in runs("rl", "evaluate", "one", "--explore", "0.1").err
    assert "a directory that exists" in runs("rl", "evaluate", "one", "--record", "nowhere/e.parquet").err
    assert "did you mean" in runs("rl", "off-policy", "e.parquet", "--policy", "onee").err
    assert "Expected a Parquet file" in runs("rl", "off-policy", "none.parquet", "--policy", "one").err


def test_the_own_log_becomes_episodes(rewardloop, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert rewardloop("init", "walk", "--actions", "left,right").code == 0
    for step in range(3):
        context = json.dumps({"observation": [step, 1.0]})
        assert rewardloop("decide", "walk.yaml", "-c", context, "--event-id", f"a:{step}").code == 0
        assert step or "1 events are open until their window ends" in rewardloop("rl", "episodes", "walk", "walk.parquet").err
        assert rewardloop("reward", f"a:{step}", "1", "-e", "walk", "--final").code == 0
    shown = rewardloop("rl", "episodes", "walk", "walk.parquet")
    assert (shown.code, shown.out) == (0, "Wrote 1 episodes of 3 steps to walk.parquet\n")


def test_a_policy_is_learned_from_episodes(runs):
    trained = runs("rl", "train", "--episodes", "e.parquet", "--algo", "marwil", "--steps", "30", "--run", "learned")
    assert trained.code == 0
    assert "best mean return" in trained.out
    shown = runs("rl", "off-policy", "e.parquet", "--policy", "learned", "--explore", "0.5", "--gamma", "0.5", "--model", "linear")
    assert shown.code in (0, 3)
    assert "marwil" in runs("rl", "algorithms", "--env", "CartPole-v1").out
    refused = runs("rl", "train", "--env", "CartPole-v1", "--toolkit", "offline", "-a", "bc")
    assert "Expected logged episodes to learn from" in refused.err


def test_a_file_does_not_say_what_code_is_run(rewardloop, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    columns = {"observations": [[0.0]], "actions": [[0]], "rewards": [[1.0]]}
    header = {KEY: b'{"env": {"id": "subprocess:call", "parameters": {"args": ["touch", "owned"]}}}'}
    pq.write_table(pa.table(columns).replace_schema_metadata(header), "bad.parquet")
    refused = rewardloop("rl", "train", "--episodes", "bad.parquet", "--algo", "bc")
    assert refused.code == 2
    assert "which is code: if it is yours, name it" in refused.err
    assert not (tmp_path / "owned").exists()
