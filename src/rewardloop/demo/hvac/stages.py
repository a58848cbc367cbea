"""What the demonstration may be played on: the environment, how its episodes are cut, and how a policy is trained on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Literal

from rewardloop.rl.environments import EnvSpec

Building = Literal["one-zone", "two-zones"]
_NETWORK: Final = {"net_arch": [32, 32], "n_epochs": 10, "batch_size": 256, "learning_rate": 1e-3, "log_std_init": -1.5}
# One day a batch, and a line from what is seen to what is done: nothing in this hall asks for more. A set-point's saving comes with
# the next steps (at once it costs), so `gamma` is far from 0.
_LINEAR: Final = {
    "net_arch": [],
    "n_steps": 288,
    "batch_size": 96,
    "n_epochs": 5,
    "learning_rate": 3e-3,
    "log_std_init": -1.8,
    "gamma": 0.9,
    "gae_lambda": 0.7,
}


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that is decided before the first step."""

    title: str
    env: EnvSpec
    n_steps: int
    checkpoint_every: int
    parameters: Mapping[str, Any] = field(repr=False)
    """Of PPO."""
    begins_at: tuple[float, ...] | None
    """The action that training begins at, such as the schedules' own set-points; None: the tuned constant."""
    n_constants: int
    """Constant actions tried for the best one."""
    trained_with: Mapping[str, Any] = field(default_factory=dict)
    """Further parameters of the environment, for training only."""

    def test_parameters(self) -> dict[str, Any]:
        """What makes the environment the one to be judged on: weather and days that nothing was trained on."""
        days = self.env.parameters["start_days"]
        return {"use": "test", "start_days": [day + 8 for day in days]}


@dataclass(frozen=True, slots=True)
class Effort:
    """How much of everything."""

    seeds: Sequence[int]
    """Of the trainings."""
    at_once: int = 2
    n_episodes: int = 10
    """Of the comparison."""


STAGES: Final[Mapping[Building, Stage]] = MappingProxyType(
    {
        "one-zone": Stage(
            title="Data centre, one hall: the task of the 2019 example",
            env=EnvSpec("rewardloop/DataCenter-1Zone-v0", {"start_days": [1, 46, 91, 136, 181, 226, 271, 316]}),
            n_steps=10_080,
            checkpoint_every=2_016,
            parameters=_LINEAR,
            begins_at=(0.2667, 0.6667),
            n_constants=30,
            trained_with={"relative": True},
        ),
        "two-zones": Stage(
            title="Data centre, two halls with economisers",
            env=EnvSpec(
                "rewardloop/DataCenter-2Zones-v0", {"days": 6, "start_days": [5, 41, 78, 114, 151, 187, 224, 260, 297, 333]}
            ),
            n_steps=50_000,
            checkpoint_every=25_000,
            parameters={**_NETWORK, "n_steps": 1_024, "gamma": 0.0},
            begins_at=None,
            n_constants=40,
        ),
    }
)
