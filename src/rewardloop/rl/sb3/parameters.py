"""Hyperparameters by name: what the algorithm's own class takes, and a few more. An unknown name is refused with the nearest."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import torch
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.noise import NormalActionNoise
from stable_baselines3.her import HerReplayBuffer

from rewardloop.errors import InvalidInput, did_you_mean

ACTIVATIONS: Final[Mapping[str, type[torch.nn.Module]]] = MappingProxyType(
    {"tanh": torch.nn.Tanh, "relu": torch.nn.ReLU, "elu": torch.nn.ELU, "leaky_relu": torch.nn.LeakyReLU}
)
NETWORK: Final = ("net_arch", "activation", "log_std_init")
_MORE: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "her": ("n_sampled_goal", "goal_selection_strategy"),
        "recurrentppo": ("lstm_hidden_size",),
        **dict.fromkeys(("ppo", "a2c", "trpo"), ("initial_action",)),
    }
)
_OURS: Final = {
    "self", "policy", "env", "seed", "verbose", "device", "tensorboard_log", "stats_window_size", "policy_kwargs",
    "_init_setup_model", "rollout_buffer_class", "rollout_buffer_kwargs", "replay_buffer_class", "replay_buffer_kwargs",
    "optimize_memory_usage",
}  # fmt: skip
_NOISE: Final = 0.1
_MAX_BUFFER: Final = 1_000_000


def arguments(
    kind: type[BaseAlgorithm], algorithm: str, parameters: Mapping[str, Any], n_steps: int, n_actions: int
) -> dict[str, Any]:
    """Keyword arguments for the class. `net_arch` is a list of widths, `activation` a word, `action_noise` a deviation."""
    signature = inspect.signature(kind.__init__).parameters
    taken = set(signature)
    _refuse_unknown(algorithm, parameters, taken)
    _refuse_words(algorithm, parameters, signature)
    chosen = {name: value for name, value in parameters.items() if name in taken}
    if "buffer_size" in taken:
        chosen.setdefault("buffer_size", min(_MAX_BUFFER, max(n_steps, 1_000)))
    if algorithm in ("td3", "ddpg") or "action_noise" in chosen:
        sigma = float(chosen.get("action_noise", _NOISE))
        chosen["action_noise"] = NormalActionNoise(np.zeros(n_actions), np.full(n_actions, sigma))
    if algorithm == "her":
        hindsight = {name: parameters[name] for name in _MORE["her"] if name in parameters}
        chosen |= {"replay_buffer_class": HerReplayBuffer, "replay_buffer_kwargs": hindsight}
    return chosen | {"policy_kwargs": _network(parameters)}


def _refuse_unknown(algorithm: str, parameters: Mapping[str, Any], taken: set[str]) -> None:
    known = sorted((taken - _OURS) | {*NETWORK, *_MORE.get(algorithm, ())})
    for name in parameters:
        if name not in known:
            hint = did_you_mean(name, known) or f"; it takes {', '.join(known)}"
            raise InvalidInput(f"`{algorithm}` has no hyperparameter `{name}`{hint}", at="--param")


def _refuse_words(algorithm: str, parameters: Mapping[str, Any], signature: Mapping[str, inspect.Parameter]) -> None:
    """The library takes a word where it wants a number, and fails in the middle of the training."""
    for name, value in parameters.items():
        wanted = signature.get(name)
        if wanted is None or type(wanted.default) not in (int, float) or not isinstance(value, str | list | dict):
            continue
        if not any(kind in str(wanted.annotation) for kind in ("str", "tuple")):
            told = f"expected a number as `{name}` (by default {wanted.default}), got `{value}`"
            raise InvalidInput(f"`{algorithm}` refuses its hyperparameters: {told}", at="--param")


def _network(parameters: Mapping[str, Any]) -> dict[str, Any]:
    chosen = {name: parameters[name] for name in ("net_arch", "log_std_init", "lstm_hidden_size") if name in parameters}
    if "activation" in parameters:
        word = str(parameters["activation"])
        if word not in ACTIVATIONS:
            hint = did_you_mean(word, ACTIVATIONS) or f"; expected one of {', '.join(ACTIVATIONS)}"
            raise InvalidInput(f"Unknown activation `{word}`{hint}", at="--param")
        chosen["activation_fn"] = ACTIVATIONS[word]
    return chosen
