"""Every algorithm of Stable-Baselines3 and sb3-contrib keeps the contract, each on an environment that fits."""

from __future__ import annotations

from typing import Any

from rewardloop.rl.environments import EnvSpec
from rewardloop.rl.sb3 import StableBaselines3
from rewardloop.rl.toolkit import Plan
from rewardloop.testing.toolkit import ToolkitContract

ON: dict[str, Any] = {"n_steps": 40, "batch_size": 20, "net_arch": [8]}
OFF: dict[str, Any] = {"learning_starts": 20, "batch_size": 8, "net_arch": [8]}
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "ppo": ("Tracking", {**ON, "n_epochs": 2, "activation": "relu"}),
    "a2c": ("Several", {"n_steps": 10, "net_arch": [8]}),
    "trpo": ("Switches", ON),
    "maskableppo": ("Masked", {**ON, "n_epochs": 2}),
    "recurrentppo": ("Choosing", {**ON, "n_epochs": 2, "lstm_hidden_size": 8}),
    "dqn": ("Choosing", OFF),
    "qrdqn": ("Numbered", OFF),
    "sac": ("Tracking", OFF),
    "td3": ("Tracking", OFF),
    "ddpg": ("Tracking", {**OFF, "action_noise": 0.2}),
    "tqc": ("Tracking", OFF),
    "crossq": ("Tracking", OFF),
    "her": ("Reaching", {**OFF, "n_sampled_goal": 2}),
    "ars": ("Choosing", {"n_delta": 2, "n_top": 2}),
}


class TestStableBaselines3(ToolkitContract):
    def make_toolkit(self) -> StableBaselines3:
        return StableBaselines3()

    def plans(self) -> list[Plan]:
        return [
            Plan(
                env=EnvSpec(f"rl_worlds:{env}"),
                toolkit="sb3",
                algorithm=algorithm,
                n_steps=160,
                checkpoint_every=80,
                seed=3,
                normalise=algorithm in ("ppo", "sac", "a2c"),
                parameters=parameters,
            )
            for algorithm, (env, parameters) in CASES.items()
        ]
