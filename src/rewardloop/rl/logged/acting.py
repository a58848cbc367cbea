"""A trained policy as it would be served: distributions over arms or densities over a box, from its export. No toolkit here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec
import numpy as np
from gymnasium import spaces

from rewardloop.actions import Ranges, fixed_actions
from rewardloop.cells import Drawn
from rewardloop.errors import InvalidInput
from rewardloop.features import Features
from rewardloop.interactions import Floats
from rewardloop.policies.continuous import Spread, density, draw
from rewardloop.policies.exploration import serve_pmf
from rewardloop.policies.onnx import OnnxPolicy
from rewardloop.rl.logged.episodes import Mask
from rewardloop.rl.toolkit import Exported

NOISE: Final = 0.05


class ServedPolicy:
    """`explore` is the share of its actions that are uniform over what is possible."""

    def __init__(self, exported: Exported, *, explore: float = 0.0, noise: float = NOISE) -> None:
        if not 0 <= explore <= 1:
            raise InvalidInput(f"Expected a share from 0 to 1, got {explore:g}", at="--explore")
        self.head = msgspec.structs.replace(exported.head, noise=noise)
        self._policy = OnnxPolicy(exported.onnx, self.head)
        self._explore = explore
        self._actions = None if self.head.low else fixed_actions([str(arm) for arm in range(self.head.n_arms)])
        self._ranges = Ranges(self.head.low, self.head.high)

    @property
    def is_discrete(self) -> bool:
        return self._actions is not None

    def pmf(self, observation: Floats, masks: Mask | None) -> list[float]:
        """Over the arms, for a flat observation; nothing on what is not possible."""
        assert self._actions is not None
        excluded = () if masks is None else np.flatnonzero(~masks).tolist()
        return serve_pmf(self._policy.pmf(self._features(observation), self._actions), floor=self._explore, excluded=excluded)

    def spread(self, observation: Floats) -> Spread:
        """Over the box."""
        return self._policy.spread(self._features(observation), self._ranges)

    def draw(self, spread: Spread, seed: int) -> Drawn:
        """Values, and the density they were drawn with."""
        return draw(spread, self._ranges, floor=self._explore, explore=True, seed=seed)

    def density(self, spread: Spread, values: Sequence[float]) -> float:
        return density(spread, self._ranges, values, floor=self._explore)

    def _features(self, observation: Floats) -> Features:
        return dict(zip(self.head.inputs, observation.tolist(), strict=True))


def flat(observation: Any) -> Floats:
    """An observation as numbers, the parts of a dictionary one after another.

    >>> flat({"a": np.array([1.0, 2.0]), "b": 3})
    array([1., 2., 3.])
    """
    parts = observation.values() if isinstance(observation, dict) else [observation]
    return np.concatenate([np.asarray(part, np.float64).ravel() for part in parts])


def to_action(space: spaces.Space[Any], arm: int) -> Any:
    """The action of the environment that an arm stands for; the last of several choices is the fastest."""
    match space:
        case spaces.Discrete():
            return int(space.start) + arm
        case spaces.MultiDiscrete():
            chosen = np.array(np.unravel_index(arm, tuple(space.nvec.ravel())))
            return (chosen.reshape(space.shape) + space.start).astype(space.dtype)
        case spaces.MultiBinary():
            return np.array(np.unravel_index(arm, (2,) * int(np.prod(space.shape)))).reshape(space.shape).astype(space.dtype)
    raise InvalidInput(f"Expected actions that are arms, got {space}", at="--env")
