"""What every business environment has in common: the order of calls, refusals, masks, and the bound reported at the end."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from rewardloop.errors import Conflict, InvalidInput

Floats = NDArray[np.float32]
Masks = NDArray[np.bool_]
Rule = Callable[[Any], Any]
"""From an observation to an action."""
_NEAR = 1e-5


class Business(gymnasium.Env[Floats, Any]):
    """One instance an episode, drawn from the seed at `reset`; noise does not depend on what is done.

    `bound()` is a number that the episode's return cannot exceed, whoever acts; the last `info` of an episode reports it, and the
    `gap` between the two, among
    `metrics` unless `measure_bound` is False. An action that is not possible now changes nothing and is rewarded with `impossible`.
    """

    metadata = {"render_modes": []}  # noqa: RUF012 # the base class says so
    impossible: ClassVar[float] = -1.0

    def __init__(self, n_steps: int, measure_bound: bool) -> None:
        self._n_steps = at_least(1, n_steps, "n_steps")
        self._measures = measure_bound
        self._n = 0
        self._going = False
        self._earned = 0.0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Floats, dict[str, Any]]:
        super().reset(seed=seed)
        self._n, self._going, self._earned = 0, True, 0.0
        self.draw(self.np_random)
        return self.look(), {}

    def step(self, action: Any) -> tuple[Floats, float, bool, bool, dict[str, Any]]:
        if not self._going:
            raise Conflict("No episode is running: call reset() first")
        chosen = accepted(self.action_space, action)
        self._n += 1
        reward, terminated = self.advance(chosen) if self.possible(chosen) else (self.impossible, False)
        truncated = self._n >= self._n_steps and not terminated
        self._going = not (terminated or truncated)
        self._earned += float(reward)
        info = {} if self._going or not self._measures else {"metrics": self._judged()}
        return self.look(), float(reward), terminated, truncated, info

    def _judged(self) -> dict[str, float]:
        bound = self.bound()
        return {"bound": bound, "gap": bound - self._earned}

    def possible(self, action: Any) -> bool:
        """Whether an action of the space can be done now."""
        return True

    @abstractmethod
    def draw(self, generator: np.random.Generator) -> None:
        """Everything random of an episode."""

    @abstractmethod
    def look(self) -> Floats:
        """The observation, in `observation_space`."""

    @abstractmethod
    def advance(self, action: Any) -> tuple[float, bool]:
        """Does what is possible: the reward, and whether the episode is over."""

    @abstractmethod
    def bound(self) -> float:
        """What no policy's return exceeds in the episode that was drawn."""

    @abstractmethod
    def baselines(self) -> Mapping[str, Rule]:
        """Strong rules without training, by name; from an observation alone."""


class Masked(Business):
    """One whose actions are choices that are not all possible at any time."""

    @abstractmethod
    def action_masks(self) -> Masks:
        """Which are possible now."""

    def possible(self, action: Any) -> bool:
        return bool(self.action_masks()[action])


def accepted(space: spaces.Space[Any], action: Any) -> Any:
    """An action as an int or as float64 numbers within a box. Raises `InvalidInput`."""
    try:
        given = np.asarray(action)
        if isinstance(space, spaces.Discrete):
            inside = given.size == 1 and given.dtype.kind in "iu" and space.contains(int(given.reshape(())))
            values: Any = int(given.reshape(())) if inside else None
        else:
            assert isinstance(space, spaces.Box)
            values = np.clip(given.astype(np.float64), space.low, space.high)
            inside = given.shape == space.shape and bool(np.all(np.abs(values - given) <= _NEAR))
    except (TypeError, ValueError):
        inside = False
    if not inside:
        raise InvalidInput(f"Expected an action in {space}, got {action!r:.100}", at="$.action")
    return values


def at_least(lowest: int, value: int, name: str) -> int:
    """A parameter that is a whole number; raises `InvalidInput`."""
    if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= 100_000:
        raise InvalidInput(f"Expected a whole number from {lowest} to 100,000, got {value!r:.50}", at=f"$.{name}")
    return value
