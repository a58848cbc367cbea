"""`rewardloop rl …` as a shell would run it: from a training to a decision."""

from __future__ import annotations

import re

SMALL = ("--steps", "128", "--checkpoint-every", "64", "--eval-episodes", "1", "-p", "n_steps=64", "-p", "net_arch=[8]")


def test_from_training_to_a_served_decision(rewardloop, tmp_path):
    trained = rewardloop("rl", "train", "--env", "CartPole-v1", "--algo", "PPO", *SMALL, "--json")
    assert (trained.code, trained.json["status"], trained.json["n_steps"]) == (0, "done", 128)
    name = trained.json["run"]
    assert name in rewardloop("rl", "runs").out
    assert rewardloop("rl", "runs", name, "--report", "learning.png").code == 0
    assert rewardloop("rl", "evaluate", name, "--episodes", "3", "--json").json["score"]["n"] == 3
    compared = rewardloop("rl", "compare", name, "--episodes", "5", "--constants", "1", "--report", "c.html", "--json")
    assert [row["policy"] for row in compared.json["rows"]] == ["random", "tuned constant", name]
    assert rewardloop("rl", "enjoy", name, "--report", "episode.json").code == 0
    assert {"learning.png", "c.html", "episode.json"} <= {path.name for path in tmp_path.iterdir()}
    missing = rewardloop("rl", "deploy", name, "--experiment", "cart", "--checkpoint", "77")
    assert "a step of which there is one (64, 128), got `77`" in missing.err
    assert "Unknown experiment" in rewardloop("status", "cart").err
    deployed = rewardloop("rl", "deploy", name, "--experiment", "cart", "--json")
    assert (deployed.code, deployed.json["model_id"]) == (0, "cart.1")
    decided = rewardloop("decide", "cart", "-c", '{"observation": [0.1, 0.2, 0.3, 0.4]}', "--json")
    assert decided.json["model_id"] == "cart.1"
    other = rewardloop("rl", "train", "--resume", name, "--steps", "192", "--seed", "3")
    assert (other.code, other.err.count("\n")) == (2, 1)
    assert "goes on with what it was begun with - at `--seed`" in other.err
    further = rewardloop("rl", "train", "--resume", name, "--steps", "192", "--json")
    assert (further.json["n_steps"], further.json["n_resumed"]) == (192, 1)


def test_a_box_is_decided_with_values_and_a_density(rewardloop):
    trained = rewardloop("rl", "train", "--env", "Pendulum-v1", *SMALL, "--normalise", "--json")
    assert rewardloop("rl", "deploy", trained.json["run"], "-e", "swing").code == 0
    assert "from a simulator" in rewardloop("status", "swing").out
    decided = rewardloop("decide", "swing", "-c", '{"observation": [1.0, 0.0, 0.5]}', "--json").json
    assert -2 <= decided["values"][0] <= 2
    assert decided["density"] > 0
    told = rewardloop("decide", "swing", "-c", '{"observation": [1.0, 0.0, 0.5]}')
    assert re.match(r"-?\d[\d.e-]*  with density \d\S*, by swing.1\n", told.out)
    sure = rewardloop("decide", "swing", "-c", '{"observation": [1.0, 0.0, 0.5]}', "--no-explore")
    assert re.match(r"-?\d[\d.e-]*  with no density, by swing.1\n", sure.out)


def test_a_box_that_no_bandit_learns_says_who_does(rewardloop, tmp_path):
    for ranges, said in (
        ("{low: [10, -5], high: [30, 5]}", "No bandit learns 2 numbers at once: train in a simulator, `rewardloop rl train`"),
        ("{low: [10], high: [30]}", "add `cells: 16` to `actions`"),
        ("{low: [10, -5], high: [30, 5], cells: 8}", "several at once are for `rewardloop rl train`"),
    ):
        (tmp_path / "box.yaml").write_text(f"experiment: box\nactions: {ranges}\n")
        ran = rewardloop("train", "box.yaml", "--data", f"d{len(said)}")
        assert (ran.code in (1, 2), said in ran.err) == (True, True), ran.err


def test_a_script_says_nothing_of_its_steps_and_nobody_else_does(rewardloop, tmp_path):
    (tmp_path / "mine.py").write_text("print('trained')")
    ran = rewardloop("rl", "train", "--script", "mine.py", "--steps", "70")
    assert (ran.code, "steps" in ran.out) == (0, False)
    assert "70 asked" in rewardloop("rl", "runs").out


def test_the_matrix_shows_only_what_fits_an_environment(rewardloop):
    everything = rewardloop("rl", "algorithms", "--json").json
    rows = rewardloop("rl", "algorithms", "--env", "Pendulum-v1", "--json").json
    fitting = {row["name"] for row in rows if row["toolkit"] == "sb3"}
    assert {row["toolkit"] for row in everything} == {"sb3", "rllib", "offline"}
    assert {row["name"] for row in rows if row["toolkit"] == "rllib"} == {"ppo", "appo", "impala", "sac", "dreamerv3"}
    assert fitting == {"ppo", "a2c", "trpo", "recurrentppo", "sac", "td3", "ddpg", "tqc", "crossq", "ars"}
    assert "CartPole" not in rewardloop("rl", "envs").out
    assert rewardloop("rl", "envs", "--json").json[0]["id"].startswith("rewardloop/")


def test_mistakes_are_one_line(rewardloop):
    for words, said in (
        (("trian",), "did you mean `train`"),
        (("train",), "--env"),
        (("train", "--env", "CartPole-v7"), "did you mean"),
        (("train", "--env", "CartPole-v1", "--steps", "0"), "at least 1"),
        (("evaluate", "nothing"), "Unknown run"),
        (("evaluate", "nothing", "--episodes", "0"), "at least 1, got 0 - at `--episodes`"),
        (("tune", "--env", "CartPole-v1", "--trials", "0"), "at least 1, got 0 - at `--trials`"),
        (("tune", "--env", "CartPole-v1", "--at-once", "0"), "at `--at-once`"),
        (("train", "--toolkit", "rllib", "--env", "CartPole-v1", "--algo", "cql"), "`offline` has them"),
        (("train", "--env", "CartPole-v1", "--param", "gamma"), "name=value"),
    ):
        ran = rewardloop("rl", *words)
        assert ran.code in (1, 2)
        assert said in ran.err
        assert ran.err.count("\n") == 1
