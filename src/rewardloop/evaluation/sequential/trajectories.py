"""Logged episodes as columns, and as the padded tables that estimators work on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rewardloop.errors import InvalidInput
from rewardloop.interactions import Floats, Ints


@dataclass(frozen=True, slots=True)
class Trajectories:
    """n episodes of together N steps, one after another: episode i is `offsets[i]:offsets[i + 1]`, at least one step each.

    Raises `InvalidInput` naming the first step that cannot have been logged so.
    """

    observation: Floats
    """(N, d) what was seen before the action."""
    action: Ints | Floats
    """(N,) the number of what was done, from 0; (N, d) floats where actions are continuous."""
    probability: Floats
    """(N,) the probability (or density) the action was drawn with; above 0."""
    reward: Floats
    """(N,)"""
    offsets: Ints
    """(n + 1,)"""
    truncated: npt.NDArray[np.bool_] | None = None
    """(n,) whether an episode was cut off rather than came to its end; None: none was."""

    def __post_init__(self) -> None:
        n_steps = len(self.action)
        for name in ("observation", "probability", "reward"):
            if len(getattr(self, name)) != n_steps:
                raise InvalidInput(f"Expected {n_steps} rows as in `action`, got {len(getattr(self, name))}", at=f"$.{name}")
        if self.observation.ndim != 2:
            raise InvalidInput(f"Expected a matrix, got {self.observation.ndim} dimensions", at="$.observation")
        sizes = np.diff(self.offsets)
        if len(sizes) == 0 or self.offsets[0] != 0 or self.offsets[-1] != n_steps or (sizes < 1).any():
            raise InvalidInput(f"Expected episodes of at least one step that cover all {n_steps} steps", at="$.offsets")
        _check(self.probability, (self.probability > 0) & np.isfinite(self.probability), "a probability above 0", "probability")
        _check(self.reward, np.isfinite(self.reward), "a finite reward", "reward")
        if self.truncated is not None and self.truncated.shape != (len(self),):
            raise InvalidInput(f"Expected {len(self)} answers, got shape {self.truncated.shape}", at="$.truncated")
        if self.is_discrete:
            _check(self.action, self.action >= 0, "an action from 0", "action")
        else:
            _check(self.values, np.isfinite(self.values.sum(axis=1)), "finite numbers", "action")

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def is_discrete(self) -> bool:
        """Whether actions are numbered."""
        return self.action.ndim == 1

    @property
    def values(self) -> Floats:
        """(N, d) the actions as numbers, where they are continuous."""
        return self.action.astype(np.float64, copy=False)

    @property
    def n_cut(self) -> int:
        """Episodes cut off before the longest one's end: what they would have earned after is not known."""
        return 0 if self.truncated is None else int((self.truncated & (self.lengths < self.lengths.max())).sum())

    @property
    def n_steps(self) -> int:
        """N."""
        return len(self.action)

    @property
    def lengths(self) -> Ints:
        """(n,) steps of each episode."""
        return np.diff(self.offsets)

    @property
    def step(self) -> Ints:
        """(N,) the number of each step within its episode, from 0."""
        return np.arange(self.n_steps) - np.repeat(self.offsets[:-1], self.lengths)

    @property
    def episode(self) -> Ints:
        """(N,) which episode each step belongs to."""
        return np.repeat(np.arange(len(self)), self.lengths)

    @property
    def is_last(self) -> npt.NDArray[np.bool_]:
        """(N,) True at the last step of each episode."""
        last = np.zeros(self.n_steps, bool)
        last[self.offsets[1:] - 1] = True
        return last

    def padded(self, values: Floats, after: float = 0.0) -> Floats:
        """(n, H) a column of N numbers as a row an episode; `after` stands behind an episode's end."""
        table = np.full((len(self), int(self.lengths.max())), after)
        table[self.episode, self.step] = values
        return table

    @classmethod
    def joined(cls, episodes: Sequence[Trajectories]) -> Trajectories:
        """Several as one, in the order given."""
        starts = np.cumsum([0, *(part.n_steps for part in episodes)])
        return cls(
            np.concatenate([part.observation for part in episodes]),
            np.concatenate([part.action for part in episodes]),
            np.concatenate([part.probability for part in episodes]),
            np.concatenate([part.reward for part in episodes]),
            np.concatenate([[0], *(part.offsets[1:] + start for part, start in zip(episodes, starts, strict=False))]),
            np.concatenate([np.zeros(len(part), bool) if part.truncated is None else part.truncated for part in episodes]),
        )


def _check(values: npt.NDArray[np.generic], good: npt.NDArray[np.bool_], wanted: str, name: str) -> None:
    if not good.all():
        row = int(good.argmin())
        raise InvalidInput(f"Expected {wanted}, got `{values[row]}`", at=f"$.{name}[{row}]")
