"""The policy that knows nothing: every action alike. It gathers the first data, and is what others are measured against."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final, Self

import numpy as np

from rewardloop.actions import ActionSet, Ranges
from rewardloop.features import Features
from rewardloop.interactions import Floats, Interactions
from rewardloop.policies.continuous import Spread
from rewardloop.policies.model_files import read_model, write_model
from rewardloop.settings import ExperimentSettings

ENGINE: Final = "uniform"


class UniformPolicy:
    """pmf = 1/K.

    >>> from rewardloop.actions import fixed_actions
    >>> UniformPolicy().pmf({"age": 31}, fixed_actions(["a", "b"]))
    [0.5, 0.5]
    """

    gains_by_batches: Final = True

    @classmethod
    def new(cls, settings: ExperimentSettings, seed: int) -> Self:
        """The same whatever the settings and the seed."""
        return cls()

    def pmf(self, context: Features, actions: ActionSet) -> Sequence[float]:
        return [1.0 / len(actions)] * len(actions)

    def pmf_many(self, contexts: Sequence[Features], actions: Sequence[ActionSet]) -> Floats:
        sizes = np.array([len(offered) for offered in actions], dtype=np.int64)
        return np.repeat(1.0 / sizes, sizes)

    def spread(self, context: Features, ranges: Ranges) -> Spread:
        """Over a box of continuous actions: every value alike."""
        return Spread("uniform")

    def learn(self, interactions: Interactions) -> None:
        """Learns nothing."""

    def save(self, directory: Path) -> None:
        write_model(directory, ENGINE, {})

    @classmethod
    def load(cls, directory: Path) -> Self:
        read_model(directory, ENGINE, ())
        return cls()
