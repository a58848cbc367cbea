"""Evaluating, comparing, tuning, watching: the same episodes for everybody, numbers with intervals, and a search that resumes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from PIL import Image

from rewardloop.charts import to_html, to_png
from rewardloop.cli.rl.enjoy import enjoy
from rewardloop.clock import ManualClock
from rewardloop.errors import Conflict, InvalidInput, NotFound
from rewardloop.rl.environments import EnvSpec, make_env
from rewardloop.rl.playing.charts import (
    comparison_charts,
    comparison_page,
    comparison_picture,
    comparison_table,
    episode_chart,
    training_chart,
)
from rewardloop.rl.playing.comparing import compare
from rewardloop.rl.playing.constants import tuned_constant
from rewardloop.rl.playing.controllers import load_rule
from rewardloop.rl.playing.episodes import Step, play
from rewardloop.rl.playing.evaluating import actor_of, evaluate_run, seeds_of
from rewardloop.rl.playing.scores import interquartile_mean, saving, score
from rewardloop.rl.playing.videos import Camera
from rewardloop.rl.runs.run import RunDirectory, Runs, Watching
from rewardloop.rl.runs.training import Report, start
from rewardloop.rl.tuning.search import dimension, found, make_setup, tune, tuning_chart
from rewardloop.rl.tuning.study import Found, Trial
from rl.test_training import SMALL, a_plan


def a_run(data: Path, **changes: Any) -> RunDirectory:
    manifest = start(Runs(data), a_plan(n_steps=80, **changes), Watching(eval_episodes=1), ManualClock())
    return Runs(data).find(manifest.run)


def test_the_interquartile_mean_ignores_both_ends() -> None:
    assert interquartile_mean(np.array([-1e9, 1.0, 2.0, 3.0, 4.0, 1e9, 2.0, 3.0])) == 2.5


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    # 60 samples of 5 runs × 8 episodes; P(fewer than 48 hits | coverage .90) < 0.1 %. Few runs cost a bootstrap some coverage.
    generator = np.random.default_rng(0)
    samples = [generator.normal(size=(5, 1)) + generator.normal(size=(5, 8)) for _ in range(60)]
    hits = [estimate.lower <= 0.0 <= estimate.upper for estimate in (score(sample) for sample in samples)]
    assert sum(hits) >= 45


def test_no_scores_are_no_number() -> None:
    with pytest.raises(InvalidInput):
        score(np.empty((0, 3)))


def test_an_evaluation_is_repeated_to_the_bit_and_reports_what_was_measured(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    first = evaluate_run(run, "best", seeds_of(4), {})
    assert first == evaluate_run(run, "best", seeds_of(4), {})
    assert first.metrics == {"energy_kwh": 20.0}
    assert first.score.lower <= first.score.value <= first.score.upper
    assert len(first.episodes) == 4


def test_a_comparison_puts_everything_on_the_same_episodes(tmp_path: Path) -> None:
    runs = [a_run(tmp_path, seed=seed) for seed in (0, 1)] + [a_run(tmp_path, parameters={**SMALL, "gamma": 0.5})]
    rules = {"rule": load_rule("rl_worlds:follow")}
    result = compare(EnvSpec("rl_worlds:Tracking"), runs, overrides={"offers": True}, n_episodes=5, rules=rules, n_constants=5)
    names = [row.policy for row in result.rows]
    assert names == ["random", "half way", "tuned constant", "rule", "ppo-tracking-1 and 1 more", "ppo-tracking-3"]
    assert [row.n_runs for row in result.rows] == [1, 1, 1, 1, 2, 1]
    assert result.best.policy == "rule"
    assert all([episode.seed for episode in row.episodes[:5]] == list(seeds_of(5)) for row in result.rows)
    assert all("energy_kwh" in row.metrics for row in result.rows)
    page = comparison_page(result)
    assert all(name in page for name in names)
    assert comparison_table(result).header[-1] == ">energy_kwh"
    assert to_png(comparison_picture(result)).startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("env", "twice", "checkpoint", "said"),
    [
        ("rl_worlds:Choosing", False, "best", "its checkpoints do not fit"),
        ("rl_worlds:Tracking", False, "77", r"step of which there is one \(40, 80\), got `77`"),
        ("rl_worlds:Tracking", True, "best", "Expected each run once"),
    ],
)
def test_a_run_that_does_not_fit_is_refused_before_anything_is_played(
    tmp_path: Path, env: str, twice: bool, checkpoint: str, said: str
) -> None:
    run, played = a_run(tmp_path), list[str]()
    with pytest.raises((Conflict, NotFound, InvalidInput), match=said):
        compare(
            EnvSpec(env),
            [run, run] if twice else [run],
            overrides={},
            n_episodes=5,
            checkpoint=checkpoint,
            rules={},
            n_constants=5,
            say=played.append,
        )
    assert played == []


def test_what_is_saved_is_of_the_same_episodes() -> None:
    costs, reference = np.array([[8.0, 80.0], [9.0, 90.0]]), np.array([[10.0, 100.0]])
    found = saving(costs, reference)
    assert found.value == pytest.approx(0.15)
    assert (found.lower, found.upper) == pytest.approx((0.1, 0.2))


def test_runs_on_the_same_episodes_are_no_more_episodes() -> None:
    """A hundred trainings that end alike say no more of the days than one."""
    returns = np.random.default_rng(0).normal(size=(1, 10))
    one, many = score(returns), score(np.repeat(returns, 100, axis=0))
    assert many.upper - many.lower == pytest.approx(one.upper - one.lower, rel=0.1)


def test_what_is_far_below_the_others_does_not_flatten_them(tmp_path: Path) -> None:
    result = compare(EnvSpec("rl_worlds:Tracking"), [], overrides={"offers": True}, n_episodes=5, rules={}, n_constants=0)
    chance, other = result.rows
    far = msgspec.structs.replace(chance, score=msgspec.structs.replace(chance.score, value=-1e6, lower=-1.1e6, upper=-9e5))
    first = comparison_charts(msgspec.structs.replace(result, rows=(far, other)))[0]
    assert first.title == "Return of an episode (random, −1,000,000, is far off this scale)"
    assert [row["estimate"] for row in first.spec["layer"][-1]["data"]["values"]] == [other.policy]  # type: ignore[index]


def test_four_episodes_are_too_few_to_compare_on() -> None:
    with pytest.raises(InvalidInput, match="at least 5"):
        compare(EnvSpec("rl_worlds:Choosing"), [], overrides={}, n_episodes=4, rules={}, n_constants=0)


def test_the_best_constant_of_a_few_choices_is_found_by_trying_all() -> None:
    action, value = tuned_constant(EnvSpec("rl_worlds:Choosing"), range(10), n_trials=1)
    assert action == 1
    assert value > -20


@pytest.mark.parametrize("env", ["Several", "Switches"])
def test_constants_of_other_spaces_are_actions_of_them(env: str) -> None:
    action, _ = tuned_constant(EnvSpec(f"rl_worlds:{env}"), range(2), n_trials=3)
    assert make_env(EnvSpec(f"rl_worlds:{env}")).action_space.contains(action)


def test_a_rule_that_is_not_there_is_named() -> None:
    with pytest.raises(NotFound, match="did you mean `follow`"):
        load_rule("rl_worlds:folow")


def test_an_episode_is_drawn_and_a_training_too(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    env, steps = make_env(EnvSpec("rl_worlds:Tracking")), list[Step]()
    episode = play(env, actor_of(run, "last", EnvSpec("rl_worlds:Tracking")), 1, steps.append)
    chart = episode_chart(env, steps, episode)
    assert "energy_kwh 20" in to_html(chart, chart.title)
    assert sum(step.reward for step in steps) == pytest.approx(episode.episode_return)
    reports = [msgspec.json.decode(line, type=Report) for line in run.progress.read_bytes().splitlines()]
    assert to_png(training_chart("ppo", reports)).startswith(b"\x89PNG")


def test_an_environment_that_shows_no_pictures_cannot_be_filmed() -> None:
    env = make_env(EnvSpec("rl_worlds:Reaching"))
    with pytest.raises((InvalidInput, NotImplementedError)):
        Camera(env)(None)


def test_an_episode_is_filmed(tmp_path: Path) -> None:
    run, film = a_run(tmp_path, env="Filmed"), tmp_path / "episode.gif"
    enjoy(run.root.name, video=film, data=tmp_path)
    with Image.open(film) as pictures:
        assert (pictures.format, pictures.size) == ("GIF", (60, 8))
        assert getattr(pictures, "n_frames", 1) == 20


def test_an_environment_that_draws_no_pictures_is_not_filmed_and_says_why() -> None:
    with pytest.raises(InvalidInput, match="`rl_worlds:Tracking` cannot be filmed: it takes no `render_mode"):
        make_env(EnvSpec("rl_worlds:Tracking"), render=True)
    with pytest.raises(InvalidInput, match=r"does not take these parameters.*at `--env-param`"):
        make_env(EnvSpec("rl_worlds:Tracking", {"speed": 3}), render=True)


def test_a_search_ends_weak_trials_and_goes_on_where_it_was(tmp_path: Path) -> None:
    plan = a_plan(n_steps=80, parameters={"n_steps": 40, "batch_size": 20, "n_epochs": 1, "net_arch": [4]})
    setup = make_setup(plan, ["learning_rate=1e-5:1e-1:log", "gamma=0.5,0.9"], 1, ("on-policy",))
    said: list[Trial] = []
    tune(tmp_path / "study", setup, n_trials=3, seed=0, say=said.append)
    assert len(said) == 3
    more = tune(tmp_path / "study", setup, n_trials=8, seed=0, say=said.append)
    assert (len(said), more.n_trials) == (8, 8)
    assert more == found(tmp_path / "study", setup)
    assert more.best.value == max(trial.value for trial in more.trials if trial.state == "complete" and trial.value is not None)
    assert more.best.parameters["gamma"] in (0.5, 0.9)
    assert to_png(tuning_chart(more)).startswith(b"\x89PNG")
    assert not list((tmp_path / "study/trials").iterdir())
    with pytest.raises(Conflict, match="another plan"):
        tune(tmp_path / "study", msgspec.structs.replace(setup, eval_episodes=2), n_trials=9, seed=0)


def test_pruning_happens(tmp_path: Path) -> None:
    """Of trials that differ in nothing but a learning rate of 0 or much, some end at their first evaluation."""
    plan = a_plan("Choosing", n_steps=160, parameters={**SMALL, "n_epochs": 8})
    result: Found = tune(tmp_path / "study", make_setup(plan, ["learning_rate=0.0,0.02"], 2, ()), n_trials=10, seed=1)
    assert result.n_pruned > 0


@pytest.mark.parametrize("text", ["gamma", "gamma=", "gamma=2:1", "gamma=0:1:log", "gamma=1e:2", "net=[1"])
def test_a_range_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="at `--search`"):
        dimension(text)
