"""The state of a training in a folder, and back: networks, optimisers, running moments, counters. No pickle: not RLlib's own
checkpoints, which hold some, but the same state as plain arrays."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from ray.rllib.algorithms.algorithm import Algorithm as Trainer
from ray.rllib.core import DEFAULT_MODULE_ID
from ray.rllib.core.rl_module.rl_module import RLModule
from ray.rllib.utils.filter import RunningStat

from rewardloop.rl.rllib.moments import Moments
from rewardloop.rl.trees import Tree, read_tree, write_tree

POLICY: Final = "policy.npz"
"""All that acting takes."""
TRAINER: Final = "trainer.npz"
"""What going on with training takes beside. Replay is not in it: it fills again."""


def save(trainer: Trainer, directory: Path, extra: Tree) -> None:
    """`extra` is the caller's own, handed back by `load`."""
    state = plain(trainer.get_state())
    learner, runner = state["learner_group"]["learner"], state.get("env_runner", {})
    network = learner.pop("rl_module")
    learner.pop("metrics_logger", None)
    runner.pop("metrics_logger", None)
    state["metrics_logger"]["stats"] = _lifetime(state["metrics_logger"]["stats"])
    write_tree(directory / POLICY, {"network": network[DEFAULT_MODULE_ID], "moments": _moments(runner)})
    write_tree(directory / TRAINER, {"state": state, "extra": extra})


def load(trainer: Trainer, directory: Path) -> Tree:
    """Makes a fresh algorithm the one that was saved; returns `extra`. Raises `Corrupt`."""
    saved, network = read_tree(directory / TRAINER), read_tree(directory / POLICY)["network"]
    state = saved["state"]
    state["learner_group"]["learner"]["rl_module"] = {DEFAULT_MODULE_ID: network}
    trainer.set_state(state)
    return saved["extra"]


def load_network(network: RLModule, directory: Path) -> Moments | None:
    """Its weights, and the moments that observations are normalised with."""
    state = read_tree(directory / POLICY)
    network.set_state(state["network"])
    found = state["moments"]
    return Moments(*found) if found is not None else None


def plain(value: Any) -> Tree:
    """Without tensors, arrays of numbers left as they are."""
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(plain(part) for part in value)
    return value.detach().cpu().numpy() if isinstance(value, torch.Tensor) else value


def _lifetime(stats: Tree) -> Tree:
    """Counters that schedules go by; means of what was are of no use to what comes."""
    return {name: one for name, one in stats.items() if one["stats_cls_identifier"] == "lifetime_sum"}


def _moments(runner: Tree) -> tuple[Any, ...] | None:
    """(mean, deviation, clip) of the filter in the worker's connectors; None where nothing is normalised."""
    for name, connector in runner.get("env_to_module_connector", {}).items():
        if "MeanStdFilter" in str(name):
            (one,) = connector.values()
            running = RunningStat.from_state(one["running_stats"][0])
            return np.asarray(running.mean, np.float64), np.asarray(running.std, np.float64), float(one["clip_by_value"])
    return None
