"""Hyperparameters by RLlib's own names, and a few for the network. An unknown name is refused with the nearest."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from ray._common.deprecation import DEPRECATED_VALUE
from ray.rllib.algorithms.algorithm_config import AlgorithmConfig

from rewardloop.errors import InvalidInput, did_you_mean

NETWORK: Final[Mapping[str, str]] = MappingProxyType(
    {
        "net_arch": "fcnet_hiddens",
        "activation": "fcnet_activation",
        "conv_filters": "conv_filters",
        "vf_share_layers": "vf_share_layers",
        "free_log_std": "free_log_std",
    }
)
"""Ours, and what RLlib's model settings call it."""
ACTIVATIONS: Final = ("tanh", "relu", "silu", "elu", "linear")
_SAMPLING: Final = ("rollout_fragment_length", "num_envs_per_env_runner")
_OURS: Final = {"self", "kwargs", "args", "model", "learner_class", "learner_config_dict", "train_batch_size", "learner_connector"}


def apply(config: AlgorithmConfig, algorithm: str, parameters: Mapping[str, Any]) -> AlgorithmConfig:
    """The configuration with these hyperparameters. Raises `InvalidInput`."""
    taken = training_names(type(config))
    known = sorted(taken | {*_network_names(algorithm), *_SAMPLING})
    for name in parameters:
        if name not in known:
            hint = did_you_mean(name, known) or f"; it takes {', '.join(known)}"
            raise InvalidInput(f"`{algorithm}` has no hyperparameter `{name}`{hint}", at="--param")
    config.training(**{name: value for name, value in parameters.items() if name in taken})
    config.env_runners(**{name: value for name, value in parameters.items() if name in _SAMPLING})
    return config.rl_module(model_config=_network(parameters))


def _network_names(algorithm: str) -> Mapping[str, str]:
    """DreamerV3 has networks of its own, by `model_size`."""
    return {} if algorithm == "dreamerv3" else NETWORK


def training_names(kind: type[AlgorithmConfig]) -> set[str]:
    """What `training` of the class and of those above it takes today.

    >>> from ray.rllib.algorithms.ppo import PPOConfig
    >>> {"lr", "gamma", "clip_param"} <= training_names(PPOConfig)
    True
    """
    methods = (base.__dict__["training"] for base in kind.__mro__ if "training" in base.__dict__)
    found = (one for method in methods for one in inspect.signature(method).parameters.values())
    return {one.name for one in found if one.default != DEPRECATED_VALUE} - _OURS


def _network(parameters: Mapping[str, Any]) -> dict[str, Any]:
    word = parameters.get("activation", "tanh")
    if word not in ACTIVATIONS:
        hint = did_you_mean(str(word), ACTIVATIONS) or f"; expected one of {', '.join(ACTIVATIONS)}"
        raise InvalidInput(f"Unknown activation `{word}`{hint}", at="--param")
    return {theirs: parameters[ours] for ours, theirs in NETWORK.items() if ours in parameters}
