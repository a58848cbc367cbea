"""Environments that break their contract are named and quoted, wherever that shows: no traceback, no training to nonsense."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from gymnasium import spaces

from rewardloop.clock import ManualClock
from rewardloop.errors import InvalidInput, SimulatorFailed, SimulatorHung
from rewardloop.rl.by_name import module_of
from rewardloop.rl.environments import EnvSpec, make_env
from rewardloop.rl.playing.comparing import compare
from rewardloop.rl.playing.controllers import RandomActor, constant, load_rule
from rewardloop.rl.playing.episodes import play_all
from rewardloop.rl.runs.run import Runs, Watching
from rewardloop.rl.runs.training import start
from rewardloop.rl.spaces import facts_of, observation_kind
from rewardloop.rl.suggesting import with_suggestions
from rl.test_training import a_plan


def unruly(how: str) -> EnvSpec:
    return EnvSpec("rl_worlds:Unruly", {"how": how})


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("make", r"failed when it was made: OSError: no free licence \(rl_worlds.py:\d+\)"),
        ("type", r"failed when it was made: TypeError: a boiler is no pump \(rl_worlds.py:\d+\)"),
        ("reset", r"failed at its first reset: OSError: the plant is offline \(rl_worlds.py:\d+\)"),
        ("bare", "first reset: ValueError: expected `reset` to return observation and a dictionary"),
    ],
)
def test_what_fails_at_its_beginning_is_quoted_with_the_line(how: str, words: str) -> None:
    with pytest.raises(SimulatorFailed, match=f"`rl_worlds:Unruly` {words}|{words}"):
        make_env(unruly(how))


def test_parameters_that_do_not_fit_are_still_told_from_what_fails_inside() -> None:
    with pytest.raises(InvalidInput, match="does not take these parameters"):
        make_env(EnvSpec("rl_worlds:Unruly", {"hwo": "make"}))
    with pytest.raises(InvalidInput, match="does not take these parameters"):
        make_env(EnvSpec("CartPole-v1", {"gravitas": 9.8}))


def test_one_that_hangs_at_its_beginning_is_ended() -> None:
    with pytest.raises(SimulatorHung, match=r"within 0.5 s .*rl_worlds.py:\d+"):
        make_env(unruly("hang"), timeout_s=0.5)


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("none", "step 1: ValueError: expected a finite reward, got None"),
        ("old", "step 1: ValueError: expected `step` to return .*, got 4 values"),
        ("space", "reset: ValueError: expected the observation space to stay as it was"),
    ],
)
def test_an_answer_that_is_none_is_named_in_training_and_in_evaluation(tmp_path: Path, how: str, words: str) -> None:
    with pytest.raises(SimulatorFailed, match=words):
        start(Runs(tmp_path), a_plan("Unruly", world={"how": how}), Watching(), ManualClock())
    with pytest.raises(SimulatorFailed, match=words):
        list(play_all(unruly(how), constant(np.array([20.0, 0.0], np.float32)), range(2)))


@pytest.mark.parametrize(("flags", "words"), [([False] * 3, "got none"), ([True], "expected 3 flags .* got 1")])
def test_masks_that_leave_nothing_or_do_not_fit_are_named(tmp_path: Path, flags: list[bool], words: str) -> None:
    plan = a_plan("Blocked", algorithm="maskableppo", world={"flags": flags})
    with pytest.raises(SimulatorFailed, match=f"`action_masks` after step 5: .*{words}"):
        start(Runs(tmp_path), plan, Watching(), ManualClock())


def test_metrics_that_are_no_numbers_are_left_out() -> None:
    episode = next(play_all(unruly("words"), constant(np.array([20.0, 0.0], np.float32)), [1]))
    assert episode.metrics == {"kwh": 2.0}


def test_suggestions_that_fail_are_not_taken_for_none() -> None:
    with pytest.raises(SimulatorFailed, match=r"`suggestions` .*AttributeError: no valve \(rl_worlds.py"):
        with_suggestions(a_plan("Unruly", world={"how": "suggest"}))


def test_why_a_first_observation_is_not_in_its_space_is_said() -> None:
    with pytest.raises(InvalidInput, match="of type float64, its space of float32"):
        make_env(EnvSpec("rl_worlds:Doubled"))


def test_spaces_without_numbers_or_with_dictionaries_inside_are_refused() -> None:
    for space in (spaces.Dict({}), spaces.Box(0, 1, (0,)), spaces.Dict({"a": spaces.Text(3)})):
        with pytest.raises(InvalidInput, match="Expected an observation space of numbers"):
            observation_kind(space)


def test_chance_keeps_to_the_masks_of_several_choices() -> None:
    env = make_env(EnvSpec("rl_worlds:MaskedSeveral"))
    assert facts_of(env).masks
    actor = RandomActor(env.action_space)
    actor.begin(1)
    drawn = {tuple(actor.act(None, np.array([True, True, False, False, True]))) for _ in range(40)}
    assert drawn == {(0, 1), (1, 1)}


def test_a_rule_or_a_module_that_fails_is_named_with_its_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken_rules.py").write_text("def rule(seen):\n    return seen['x']\n")
    (tmp_path / "broken_module.py").write_text("raise RuntimeError('no plant here')\n")
    monkeypatch.syspath_prepend(tmp_path)
    rules = {"mine": load_rule("broken_rules:rule")}
    with pytest.raises(InvalidInput, match=r"`broken_rules:rule` failed: IndexError.*\(broken_rules.py:2\)"):
        compare(EnvSpec("rl_worlds:Tracking"), [], overrides={}, n_episodes=5, rules=rules, n_constants=0)
    with pytest.raises(InvalidInput, match=r"Module `broken_module` cannot be imported: .*no plant here \(broken_module.py:1\)"):
        module_of("broken_module:Env", "--env")
