"""What each algorithm of Stable-Baselines3 and sb3-contrib can do, as rows of the matrix, and the class behind each name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import sb3_contrib as contrib
import stable_baselines3 as sb3
from stable_baselines3.common.base_class import BaseAlgorithm

from rewardloop.rl.algorithms import ACTIONS, Rows
from rewardloop.rl.spaces import ActionKind, ObservationKind

TOOLKIT: Final = "sb3"
_FLAT: tuple[ObservationKind, ...] = ("box", "discrete", "multi_discrete", "multi_binary")
_SEEN: tuple[ObservationKind, ...] = (*_FLAT, "dict", "goal", "pixels")
_DISCRETE: tuple[ActionKind, ...] = ("discrete",)
_BOX: tuple[ActionKind, ...] = ("box",)
_COUNTED: tuple[ActionKind, ...] = ("discrete", "multi_discrete", "multi_binary")


_row: Final = Rows(TOOLKIT, _SEEN).row

ROWS: Final = (
    _row("ppo", "Proximal policy optimisation", ACTIONS, "on-policy", source="Schulman et al. 2017"),
    _row("a2c", "Advantage actor-critic", ACTIONS, "on-policy", source="Mnih et al. 2016"),
    _row("trpo", "Trust region policy optimisation", ACTIONS, "on-policy", source="Schulman et al. 2015"),
    _row(
        "maskableppo", "PPO that knows what is possible now", _COUNTED, "on-policy", "masks", source="Huang & Ontañón 2020"
    ),
    _row("recurrentppo", "PPO with an LSTM", ACTIONS, "on-policy", "memory", exports=False, source="Hochreiter & Schmidhuber 1997"),
    _row("dqn", "Deep Q-network", _DISCRETE, "off-policy", source="Mnih et al. 2015"),
    _row("qrdqn", "Quantile regression DQN", _DISCRETE, "off-policy", source="Dabney et al. 2018"),
    _row("sac", "Soft actor-critic", _BOX, "off-policy", source="Haarnoja et al. 2018"),
    _row("td3", "Twin delayed DDPG", _BOX, "off-policy", source="Fujimoto et al. 2018"),
    _row("ddpg", "Deep deterministic policy gradient", _BOX, "off-policy", source="Lillicrap et al. 2016"),
    _row("tqc", "Truncated quantile critics", _BOX, "off-policy", source="Kuznetsov et al. 2020"),
    _row("crossq", "SAC with batch normalisation, no target network", _BOX, "off-policy", observations=_FLAT, source="Bhatt 2024"),
    _row(
        "her",
        "Hindsight experience replay (DQN or SAC by the actions)",
        ("discrete", "box"),
        "off-policy",
        "goals",
        observations=("goal",),
        source="Andrychowicz et al. 2017",
    ),
    _row(
        "ars",
        "Augmented random search",
        ("discrete", "box"),
        "gradient-free",
        observations=_FLAT,
        exact_resume=False,
        source="Mania et al. 2018",
    ),
)  # fmt: skip

_CLASSES: Final[Mapping[str, type[BaseAlgorithm]]] = MappingProxyType(
    {
        "ppo": sb3.PPO,
        "a2c": sb3.A2C,
        "trpo": contrib.TRPO,
        "maskableppo": contrib.MaskablePPO,
        "recurrentppo": contrib.RecurrentPPO,
        "dqn": sb3.DQN,
        "qrdqn": contrib.QRDQN,
        "sac": sb3.SAC,
        "td3": sb3.TD3,
        "ddpg": sb3.DDPG,
        "tqc": contrib.TQC,
        "crossq": contrib.CrossQ,
        "ars": contrib.ARS,
    }
)


def class_of(name: str, action: ActionKind) -> type[BaseAlgorithm]:
    """The class that trains; hindsight replay is a memory for one of two others."""
    if name == "her":
        return sb3.DQN if action == "discrete" else sb3.SAC
    return _CLASSES[name]
