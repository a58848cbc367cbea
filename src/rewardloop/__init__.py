"""rewardloop: contextual bandits that learn in production, self-hosted.

`Experiment` is the loop in process, `Client` and `AsyncClient` speak to `rewardloop serve`, `ExperimentSettings` is the one
table of settings, and every error raised on purpose is a `RewardloopError`.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rewardloop.client import AsyncClient, Client, Decided
    from rewardloop.errors import RewardloopError
    from rewardloop.events import Decision, Reward
    from rewardloop.loop.experiment import Experiment
    from rewardloop.settings import ExperimentSettings

_HOME = {
    "AsyncClient": "rewardloop.client",
    "Client": "rewardloop.client",
    "Decided": "rewardloop.client",
    "Decision": "rewardloop.events",
    "Experiment": "rewardloop.loop.experiment",
    "ExperimentSettings": "rewardloop.settings",
    "Reward": "rewardloop.events",
    "RewardloopError": "rewardloop.errors",
}

__all__ = ["AsyncClient", "Client", "Decided", "Decision", "Experiment", "ExperimentSettings", "Reward", "RewardloopError"]


def __getattr__(name: str) -> object:
    """Import on first use (PEP 562): a client need not load the whole system, nor `--help` wait for it."""
    if name not in _HOME:
        raise AttributeError(f"module 'rewardloop' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
