"""The whole state of a training in a folder, and back: networks, optimisers, replay, running moments, counters. No pickle."""

from __future__ import annotations

from collections.abc import Iterator
from operator import attrgetter
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.buffers import ReplayBuffer
from stable_baselines3.common.running_mean_std import RunningMeanStd

from rewardloop.rl.trees import Tree, read_tree, write_tree

POLICY: Final = "policy.npz"
"""All that acting takes."""
TRAINER: Final = "trainer.npz"
"""What going on with training takes beside."""
_CLOCKS: Final = ("start_time", "_num_timesteps_at_start")
"""When this process began: it only serves to say how fast it is."""


def save(model: BaseAlgorithm, directory: Path, extra: Tree) -> None:
    """`extra` is the caller's own, handed back by `load`."""
    parameters = model.get_parameters()
    write_tree(directory / POLICY, {"policy": _arrays(parameters["policy"]), "moments": _moments(model)})
    others = {name: _arrays(state) for name, state in parameters.items() if name != "policy"}
    state = {
        "others": others,
        "variables": _variables(model),
        "counters": _counters(model),
        "replay": _replay(model),
        "extra": extra,
    }
    write_tree(directory / TRAINER, state)


def load(model: BaseAlgorithm, directory: Path) -> Tree:
    """Makes a fresh model the one that was saved; returns `extra`. Raises `Corrupt`."""
    load_policy(model, directory)
    state = read_tree(directory / TRAINER)
    model.set_parameters(_tensors({"policy": _arrays(model.get_parameters()["policy"]), **state["others"]}), exact_match=True)
    for name, value in state["variables"].items():
        attrgetter(name)(model).data.copy_(torch.as_tensor(value))
    for name, value in state["counters"].items():
        setattr(model, name, value)
    _restore_replay(model, state["replay"])
    return state["extra"]


def load_policy(model: BaseAlgorithm, directory: Path) -> None:
    """Only what acting takes."""
    state = read_tree(directory / POLICY)
    model.policy.load_state_dict(_tensors(state["policy"]))
    if hasattr(model, "weights"):  # Random search keeps its own flat copy.
        model.weights = torch.nn.utils.parameters_to_vector(model.policy.parameters()).detach()
    for moments, (mean, var, count) in zip(running_moments(model), state["moments"], strict=True):
        moments.mean, moments.var, moments.count = np.array(mean), np.array(var), count


def running_moments(model: BaseAlgorithm) -> Iterator[RunningMeanStd]:
    """Those of the observations, key by key, and of the returns; none where nothing is normalised."""
    normaliser = model.get_vec_normalize_env()
    if normaliser is not None:
        of_observations = normaliser.obs_rms
        yield from (
            (of_observations[key] for key in sorted(of_observations)) if isinstance(of_observations, dict) else [of_observations]
        )
        yield normaliser.ret_rms


def _moments(model: BaseAlgorithm) -> list[tuple[Any, Any, float]]:
    return [(np.array(moments.mean), np.array(moments.var), float(moments.count)) for moments in running_moments(model)]


def _variables(model: BaseAlgorithm) -> dict[str, Any]:
    _, names = model._get_torch_save_params()
    return {name: attrgetter(name)(model).detach().numpy().copy() for name in names}


def _counters(model: BaseAlgorithm) -> dict[str, float]:
    """Every plain number the model counts with; those that are settings are set to what they are."""
    numbers = {name: value for name, value in vars(model).items() if type(value) in (bool, int, float)}
    return {name: value for name, value in numbers.items() if name not in _CLOCKS}


def _replay(model: BaseAlgorithm) -> Tree:
    """The filled part of the replay memory."""
    buffer = getattr(model, "replay_buffer", None)
    if buffer is None:
        return None
    n = buffer.size()
    return {
        "pos": buffer.pos,
        "full": buffer.full,
        "columns": {name: array[:n] for name, array in _columns(buffer).items()},
        **_ends(buffer),
    }


def _restore_replay(model: BaseAlgorithm, state: Tree) -> None:
    buffer = getattr(model, "replay_buffer", None)
    if buffer is None or state is None:
        return
    for name, array in _columns(buffer).items():
        array[: len(state["columns"][name])] = state["columns"][name]
    buffer.pos, buffer.full = state["pos"], state["full"]
    if "episode_start" in state:
        buffer._current_ep_start = np.array(state["episode_start"])


def _columns(buffer: ReplayBuffer) -> dict[str, np.ndarray[Any, Any]]:
    columns: dict[str, np.ndarray[Any, Any]] = {}
    for name, value in vars(buffer).items():
        for key, array in value.items() if isinstance(value, dict) else [("", value)]:
            if isinstance(array, np.ndarray) and array.ndim and len(array) == buffer.buffer_size and array.dtype != object:
                columns[f"{name}/{key}"] = array
    return columns


def _ends(buffer: ReplayBuffer) -> dict[str, Any]:
    start = getattr(buffer, "_current_ep_start", None)
    return {} if start is None else {"episode_start": start}


def _arrays(tree: Tree) -> Tree:
    if isinstance(tree, torch.Tensor):
        return tree.detach().numpy().copy()
    if isinstance(tree, dict):
        return {key: _arrays(value) for key, value in tree.items()}
    return [_arrays(value) for value in tree] if isinstance(tree, list) else tree


def _tensors(tree: Tree) -> Tree:
    if isinstance(tree, np.ndarray):
        return torch.from_numpy(np.array(tree))
    if isinstance(tree, dict):
        return {key: _tensors(value) for key, value in tree.items()}
    return [_tensors(value) for value in tree] if isinstance(tree, list) else tree
