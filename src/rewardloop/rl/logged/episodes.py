"""Logged episodes in memory, and as what evaluation and learning take. Their file is read and written in `files`."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt

from rewardloop.errors import InvalidInput
from rewardloop.evaluation.sequential import Trajectories
from rewardloop.interactions import Floats, Ints
from rewardloop.rl.environments import EnvSpec

Mask = npt.NDArray[np.bool_]


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """What a file of episodes says of all of them."""

    policy: str = ""
    """Who acted."""
    env: EnvSpec | None = None
    """Where; None outside a simulator."""
    inputs: tuple[str, ...] = ()
    """Name of each number of an observation, as a policy's head names them; empty: only their order is known."""
    n_actions: int = 0
    """Numbered actions; 0: continuous."""
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    """The box of continuous actions; empty where it is not known."""


@dataclass(frozen=True, slots=True)
class Logged:
    """n episodes of together N steps, one after another: episode i is `offsets[i]:offsets[i + 1]`."""

    header: Header
    ids: tuple[str, ...]
    observation: Floats
    """(N, d) flat, in the environment's units."""
    last: Floats | None
    """(n, d) what was seen after the last action; None where nobody wrote it down."""
    action: Ints | Floats
    """(N,) the number of the action, or (N, d) its values."""
    reward: Floats
    offsets: Ints
    terminated: Mask
    """(n,) the episode came to its end; otherwise it was cut off."""
    probability: Floats | None = None
    """(N,) the probability, or density, that the action was drawn with; None where nobody wrote it down."""
    pmf: Floats | None = None
    """(N, K) all of the distribution."""
    masks: Mask | None = None
    """(N, K) what was possible."""

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def returns(self) -> Floats:
        """(n,) the sum of each episode's rewards."""
        return np.add.reduceat(self.reward, self.offsets[:-1])

    @property
    def is_last(self) -> Mask:
        """(N,) True at the last step of each episode."""
        last = np.zeros(len(self.reward), bool)
        last[self.offsets[1:] - 1] = True
        return last

    @property
    def following(self) -> Floats:
        """(N, d) what was seen after each action; what was seen before it where that is not known."""
        after = np.vstack([self.observation[1:], self.observation[-1:]])
        ends = self.offsets[1:] - 1
        after[ends] = self.observation[ends] if self.last is None else self.last
        return after

    def trajectories(self) -> Trajectories:
        """For evaluation. Raises `InvalidInput` where no probabilities were logged."""
        if self.probability is None:
            raise InvalidInput(
                "Expected the probability of each logged action, found none: without it nothing can be said of another policy; "
                "record with `rewardloop rl evaluate --record`, or add a column `probabilities`",
                at="$.probabilities",
            )
        return Trajectories(self.observation, self.action, self.probability, self.reward, self.offsets, ~self.terminated)
