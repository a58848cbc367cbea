"""Continuous actions from training to the log: exported with their spread, drawn in one place, logged with their density."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import torch

from rewardloop.actions import Ranges
from rewardloop.clock import ManualClock
from rewardloop.errors import Conflict, InvalidInput, InvalidSettings
from rewardloop.features import parse_context
from rewardloop.loop.experiment import Experiment
from rewardloop.policies.continuous import density, draw
from rewardloop.policies.onnx import OnnxPolicy
from rewardloop.rl.deploying import context_of, deploy, settings_for
from rewardloop.rl.environments import make_env
from rewardloop.rl.runs.checkpoints import newest_checkpoint
from rewardloop.rl.runs.run import RunDirectory, Runs, Watching
from rewardloop.rl.runs.training import start
from rewardloop.rl.sb3 import StableBaselines3
from rewardloop.rl.sb3.acting import load_model
from rewardloop.settings import ContinuousActions, ExperimentSettings, example_yaml, parse_settings
from rl.test_sb3_contract import CASES, OFF
from rl.test_training import a_plan

BOXED = {name: case for name, case in CASES.items() if case[0] in ("Tracking", "Reaching")}
MORE = {"ars": ("Tracking", CASES["ars"][1]), "a2c": ("Tracking", CASES["a2c"][1]), "trpo": ("Tracking", CASES["trpo"][1])}


@pytest.mark.parametrize(("algorithm", "case"), [*BOXED.items(), *MORE.items()])
def test_the_export_acts_as_the_policy_does_to_a_millionth_of_the_range(tmp_path: Path, algorithm: str, case: Any) -> None:
    env_name, parameters = case
    plan = a_plan(
        env_name, algorithm=algorithm, n_steps=80, checkpoint_every=80, parameters=parameters, normalise=env_name == "Tracking"
    )
    StableBaselines3().train(plan, tmp_path, lambda _: True)
    checkpoint = newest_checkpoint(tmp_path)
    exported, actor = StableBaselines3().export(plan, checkpoint), StableBaselines3().actor(plan, checkpoint)
    policy, env = OnnxPolicy(exported.onnx, exported.head), make_env(plan.env)
    ranges = Ranges(exported.head.low, exported.head.high)
    span = np.subtract(ranges.high, ranges.low)
    for seed in range(20):
        observation, _ = env.reset(seed=seed)
        values = draw(
            policy.spread(parse_context(context_of(observation)), ranges), ranges, floor=0.0, explore=False, seed=0
        ).values
        assert np.abs((actor.act(observation, None) - values) / span).max() <= 1e-6


def test_the_density_of_a_squashed_policy_is_the_toolkits_own(tmp_path: Path) -> None:
    plan = a_plan("Tracking", algorithm="sac", n_steps=80, checkpoint_every=80, parameters=OFF)
    StableBaselines3().train(plan, tmp_path, lambda _: True)
    checkpoint = newest_checkpoint(tmp_path)
    exported, model = StableBaselines3().export(plan, checkpoint), load_model(plan, checkpoint)
    policy, observation = OnnxPolicy(exported.onnx, exported.head), np.array([0.3, -0.4], np.float32)
    ranges, actor = Ranges(exported.head.low, exported.head.high), model.policy.actor  # type: ignore[union-attr]
    with torch.no_grad():
        mean, log_std, _ = actor.get_action_dist_params(model.policy.obs_to_tensor(observation)[0])  # type: ignore[operator, union-attr]
        dealt = actor.action_dist.proba_distribution(mean, log_std)  # type: ignore[operator, union-attr]
        for seed in range(10):
            values = draw(
                policy.spread({"observation[0]": 0.3, "observation[1]": -0.4}, ranges), ranges, floor=0.0, explore=True, seed=seed
            )
            scaled = 2 * (np.array(values.values) - ranges.low) / np.subtract(ranges.high, ranges.low) - 1
            log_density = dealt.log_prob(torch.tensor(scaled[None], dtype=torch.float32)).item()
            theirs = math.exp(log_density) * np.prod(2 / np.subtract(ranges.high, ranges.low))
            assert values.density == pytest.approx(theirs, rel=1e-3)


def a_deployable(data: Path, algorithm: str = "ppo") -> RunDirectory:
    plan = a_plan("Tracking", algorithm=algorithm, n_steps=80, checkpoint_every=80, parameters=CASES[algorithm][1])
    return Runs(data).find(start(Runs(data), plan, Watching(eval_episodes=1), ManualClock()).run)


@pytest.mark.parametrize("algorithm", ["ppo", "sac", "td3"])
def test_values_are_decided_logged_with_their_density_audited_rewarded_and_rolled_back(tmp_path: Path, algorithm: str) -> None:
    run = a_deployable(tmp_path, algorithm)
    settings = settings_for(run, "boiler")
    assert settings.actions == ContinuousActions(low=(10.0, -5.0), high=(30.0, 5.0))
    clock = ManualClock()
    with Experiment.open(settings, tmp_path, clock=clock) as opened:
        before = opened.decide({})
        assert before.density == pytest.approx(1 / 200), "until a model is hosted: every value alike"
        found = deploy(run, opened)
        assert found.model_id == "boiler.1"
        clock.advance(1_000_000)
        decision = opened.decide({"observation": [0.1, 0.2]})
        assert (decision.model_id, decision.pmf, decision.action, decision.probability) == ("boiler.1", (1.0,), 0, 1.0)
        assert 10 <= decision.values[0] <= 30
        assert -5 <= decision.values[1] <= 5
        policy = opened.modelling.load("boiler.1")
        assert isinstance(policy, OnnxPolicy)
        ranges = Ranges((10.0, -5.0), (30.0, 5.0))
        spread = policy.spread({"observation[0]": 0.1, "observation[1]": 0.2}, ranges)
        assert decision.density == density(spread, ranges, decision.values, floor=0.02)
        best = opened.decide({"observation": [0.1, 0.2]}, explore=False)
        assert best.density == math.inf
        for each in (before, decision, best):
            opened.reward(each.event_id, 1.0)
            assert opened.audit(each.event_id).same
        assert opened.join().n == 3
        again = deploy(run, opened)
        assert again.report is not None
        assert (again.deployment, again.report.verdict) == (None, "insufficient_data")
        with pytest.raises(Conflict, match=r"No bandit learns .* numbers at once: train in a simulator"):
            opened.train()
        assert deploy(run, opened, force=True).model_id == "boiler.3"
        assert opened.roll_back().model_id == "boiler.1"
        many = opened.decide_many([{"observation": [0.1, 0.2]}] * 2)
        assert all(len(each.values) == 2 for each in many)


@pytest.mark.parametrize(
    ("request_part", "words"),
    [({"actions": ["a"]}, "no `actions`"), ({"excluded": ["a"]}, "no `excluded`"), ({"top_k": 1}, "no `top_k`")],
)
def test_what_only_arms_have_is_refused(tmp_path: Path, request_part: dict[str, Any], words: str) -> None:
    settings = ExperimentSettings(experiment="boiler", actions=ContinuousActions(low=(0.0,), high=(1.0,)))
    with Experiment.open(settings, tmp_path) as opened, pytest.raises(InvalidInput, match=words):
        opened.decide({}, **request_part)


def test_a_box_cannot_be_changed_nor_sent_nor_served_by_another_policy(tmp_path: Path) -> None:
    run = a_deployable(tmp_path)
    for name, low in (("a", (0.0, 0.0)), ("b", (10.0, -5.0))):
        settings = ExperimentSettings(experiment=name, actions=ContinuousActions(low=low, high=(30.0, 5.0)))
        with Experiment.open(settings, tmp_path) as opened:
            if name == "a":
                with pytest.raises(Conflict, match="acts from"):
                    deploy(run, opened)
            else:
                assert deploy(run, opened).deployment is not None
    other = msgspec.structs.replace(settings, actions=ContinuousActions(low=(0.0, 0.0), high=(30.0, 5.0)))
    with pytest.raises(Conflict, match="was begun"):
        Experiment.open(other, tmp_path)
    with Experiment.open(ExperimentSettings(experiment="free"), tmp_path) as opened, pytest.raises(InvalidInput, match="got a box"):
        opened.decide({}, actions={"low": [0], "high": [1]})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("actions: {low: [0], high: [0]}", "each `low` below its `high`"),
        ("actions: {low: [0], high: [1, 2]}", "as many `low` as `high`"),
        ("actions: {low: [0], hih: [1]}", "at `\\$.actions"),
        ("actions: {low: [a], high: [1]}", "at `\\$.actions.low\\[0\\]`"),
        ("actions: {low: [0], high: [1]}\nmode: apprentice", "have none"),
    ],
)
def test_a_box_that_is_none_is_refused_by_its_place(text: str, words: str) -> None:
    with pytest.raises(InvalidSettings, match=words):
        parse_settings(text, "boiler.yaml")
    settings = parse_settings("actions: {low: [0], high: [1.5]}", "boiler.yaml").settings
    assert settings.ranges == ((0.0,), (1.5,))
    assert parse_settings(example_yaml(settings), "boiler.yaml").settings == settings
