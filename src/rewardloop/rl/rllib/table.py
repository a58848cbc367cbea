"""What RLlib 2.60 trains here: the rows of the matrix, and the configuration class behind each."""

from __future__ import annotations

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


_row: Final = Rows("rllib", _SEEN, exact_resume=False).row

ROWS: Final = (
    _row("ppo", "Proximal policy optimisation", ACTIONS, "on-policy", source="Schulman et al. 2017"),
    _row("appo", "PPO, sampling and learning at the same time", ACTIONS, "on-policy", source="Luo et al. 2020"),
    _row("impala", "Importance-weighted actor-learners", ACTIONS, "on-policy", source="Espeholt et al. 2018"),
    _row("dqn", "Deep Q-network: double, dueling, prioritised", ("discrete",), "off-policy", source="Mnih et al. 2015"),
    _row("rainbow", "DQN of distributions over three steps", ("discrete",), "off-policy", source="Hessel et al. 2018"),
    _row("sac", "Soft actor-critic", ("discrete", "box"), "off-policy", source="Haarnoja et al. 2018"),
)
"""Rainbow is without noisy networks, which RLlib's present modules no longer have: epsilon-greedy explores."""


def config_of(name: str) -> AlgorithmConfig:
    """A fresh configuration, as the algorithm has it by default."""
    match name:
        case "ppo":
            return PPOConfig()
        case "appo":
            return APPOConfig()
        case "impala":
            return IMPALAConfig()
        case "rainbow":
            return DQNConfig().training(num_atoms=51, n_step=3, double_q=True, dueling=True)
        case "dqn":
            return DQNConfig()
    return SACConfig()
