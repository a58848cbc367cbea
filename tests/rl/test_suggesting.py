"""What an environment suggests is taken where a plan says nothing, and nowhere else."""

from __future__ import annotations

from typing import Any

import gymnasium
import pytest
from gymnasium import spaces

from rewardloop.errors import InvalidInput
from rewardloop.rl.environments import EnvSpec
from rewardloop.rl.sb3.building import build_for_acting
from rewardloop.rl.suggesting import with_suggestions
from rewardloop.rl.toolkit import Plan


class Boiler(gymnasium.Env[int, int]):
    """Suggests whatever it is told to."""

    observation_space = spaces.Discrete(1)
    action_space = spaces.Discrete(2)

    def __init__(self, offer: Any = None, easy: bool = False) -> None:
        self._offer = offer

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        return 0, {}

    def suggestions(self) -> Any:
        return self._offer


def _plan(offer: Any, **said: Any) -> Plan:
    parameters = {"offer": offer, **said.pop("environment", {})}
    chosen = {"algorithm": "ppo", "toolkit": "sb3", **said}
    return Plan(env=EnvSpec(f"{__name__}:Boiler", parameters), n_steps=10, **chosen)


OFFER = {"ppo": {"normalise": True, "parameters": {"gamma": 0.5, "n_steps": 20}, "environment": {"easy": True}}}


def test_what_is_left_open_is_as_suggested() -> None:
    found = with_suggestions(_plan(OFFER))
    assert found.normalise
    assert found.parameters == {"gamma": 0.5, "n_steps": 20}
    assert found.training_env.parameters["easy"] is True
    assert "easy" not in found.env.parameters, "by that it is judged"


def test_what_is_said_stands() -> None:
    found = with_suggestions(_plan(OFFER, parameters={"gamma": 0.9}, environment={"easy": False}))
    assert found.parameters == {"gamma": 0.9, "n_steps": 20}
    assert found.training_env.parameters["easy"] is False


@pytest.mark.parametrize("said", [{"algorithm": "sac"}, {"toolkit": "rllib"}])
def test_a_suggestion_is_for_its_algorithm_and_toolkit(said: dict[str, str]) -> None:
    plan = _plan(OFFER, **said)
    assert with_suggestions(plan) == plan


def test_an_environment_that_suggests_nothing_leaves_the_plan() -> None:
    plan = Plan(env=EnvSpec("CartPole-v1"), toolkit="sb3", algorithm="ppo", n_steps=10)
    assert with_suggestions(plan) == plan


def test_a_suggestion_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"`suggestions` of `.*Boiler` are none"):
        with_suggestions(_plan({"ppo": {"gama": 1}}))


def test_the_hall_of_2019_suggests_what_its_toolkit_takes() -> None:
    pytest.importorskip("pyenergyplus", reason="EnergyPlus comes with the extra `energyplus`")
    pytest.importorskip("stable_baselines3", reason="needs the extra `rl`")
    bare = Plan(env=EnvSpec("rewardloop/DataCenter-1Zone-v0"), toolkit="sb3", algorithm="ppo", n_steps=288)
    plan = with_suggestions(bare)
    assert plan.normalise
    assert (plan.env.parameters, plan.training_env.parameters) == ({}, {"relative": True})
    model = build_for_acting(plan)
    assert model.gamma == plan.parameters["gamma"] == 0.9
