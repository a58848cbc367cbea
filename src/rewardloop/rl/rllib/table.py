"""What RLlib 2.60 trains here: the rows of the matrix, and the configuration class behind each."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from importlib import import_module
from typing import Final

from ray.rllib.algorithms.algorithm_config import AlgorithmConfig
from ray.rllib.algorithms.appo import APPOConfig
from ray.rllib.algorithms.dqn import DQNConfig
from ray.rllib.algorithms.impala import IMPALAConfig
from ray.rllib.algorithms.ppo import PPOConfig
from ray.rllib.algorithms.sac import SACConfig

from rewardloop.rl.algorithms import ACTIONS, Rows
from rewardloop.rl.spaces import ObservationKind

_SEEN: Final[tuple[ObservationKind, ...]] = ("box", "discrete", "multi_discrete", "multi_binary", "dict", "goal", "pixels")


_NUMBERS: Final[tuple[ObservationKind, ...]] = ("box", "discrete", "multi_discrete", "multi_binary", "dict", "goal")

_row: Final = Rows("rllib", _SEEN, exact_resume=False).row

ROWS: Final = (
    _row("ppo", "Proximal policy optimisation", ACTIONS, "on-policy", source="Schulman et al. 2017"),
    _row("appo", "PPO, sampling and learning at the same time", ACTIONS, "on-policy", source="Luo et al. 2020"),
    _row("impala", "Importance-weighted actor-learners", ACTIONS, "on-policy", source="Espeholt et al. 2018"),
    _row("dqn", "Deep Q-network: double, dueling, prioritised", ("discrete",), "off-policy", source="Mnih et al. 2015"),
    _row("rainbow", "DQN of distributions over three steps", ("discrete",), "off-policy", source="Hessel et al. 2018"),
    _row("sac", "Soft actor-critic", ("discrete", "box"), "off-policy", source="Haarnoja et al. 2018"),
    _row(
        "dreamerv3",
        "A world model, and a policy that learns in its dreams",
        ("discrete", "box"),
        "off-policy",
        "memory",
        observations=_NUMBERS,
        exports=False,
        source="Hafner et al. 2023",
    ),
)
"""Rainbow is without noisy networks, which RLlib's present modules no longer have: epsilon-greedy explores."""


def _dreamer() -> AlgorithmConfig:
    """An update of 4 × 16 steps every four (a training ratio of 16), where the paper has 16 × 64 and a ratio of up to 1,024."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Its package makes an environment of its own to debug with, and complains of it.
        config: AlgorithmConfig = import_module("ray.rllib.algorithms.dreamerv3").DreamerV3Config()
    config.env_runners(rollout_fragment_length=4)  # There is an update a fragment at least, whatever the ratio.
    return config.training(model_size="XS", batch_size_B=4, batch_length_T=16, training_ratio=16)


_CONFIGS: Final[dict[str, Callable[[], AlgorithmConfig]]] = {
    "ppo": PPOConfig,
    "appo": APPOConfig,
    "impala": IMPALAConfig,
    "dqn": DQNConfig,
    "rainbow": lambda: DQNConfig().training(num_atoms=51, n_step=3, double_q=True, dueling=True),
    "sac": SACConfig,
    "dreamerv3": _dreamer,
}


def config_of(name: str) -> AlgorithmConfig:
    """A fresh configuration, as the algorithm has it by default; DreamerV3's sized for a processor core."""
    return _CONFIGS[name]()
