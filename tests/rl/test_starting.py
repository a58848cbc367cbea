"""A policy that begins at an action that is known to be good."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rewardloop.errors import InvalidInput
from rewardloop.rl.environments import make_env
from rewardloop.rl.runs.checkpoints import newest_checkpoint
from rewardloop.rl.sb3 import StableBaselines3
from rl.test_training import SMALL, a_plan


@pytest.mark.parametrize("algorithm", ["ppo", "a2c", "trpo"])
def test_before_it_learns_a_policy_acts_as_it_is_told(tmp_path: Path, algorithm: str) -> None:
    taken = ("n_steps", "net_arch") if algorithm == "a2c" else ("n_steps", "net_arch", "batch_size")
    small = {name: SMALL[name] for name in taken}
    plan = a_plan(algorithm=algorithm, n_steps=40, parameters={**small, "learning_rate": 0.0, "initial_action": [22.0, -1.5]})
    StableBaselines3().train(plan, tmp_path, lambda _: True)
    env, actor = make_env(plan.env), StableBaselines3().actor(plan, newest_checkpoint(tmp_path))
    for seed in range(3):
        observation, _ = env.reset(seed=seed)
        np.testing.assert_allclose(
            actor.act(observation, None), [22.0, -1.5], rtol=0.05
        )  # TRPO takes one small step whatever the rate


@pytest.mark.parametrize("action", [[22.0], [22.0, 6.0], [float("nan"), 0.0], "warm", None, {"a": 1}])
def test_what_is_no_action_of_the_environment_is_refused(tmp_path: Path, action: object) -> None:
    plan = a_plan(parameters={**SMALL, "initial_action": action})
    with pytest.raises(InvalidInput, match="initial_action"):
        StableBaselines3().train(plan, tmp_path, lambda _: True)


def test_arms_have_no_action_to_begin_at(tmp_path: Path) -> None:
    plan = a_plan("Choosing", parameters={**SMALL, "initial_action": [1]})
    with pytest.raises(InvalidInput, match="numbers to begin at"):
        StableBaselines3().train(plan, tmp_path, lambda _: True)
