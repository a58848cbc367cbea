"""Small environments, one of each kind of spaces: quick to step, and each with something to learn."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

LENGTH = 20
Floats = np.ndarray[Any, Any]


class Tracking(gymnasium.Env[Any, Any]):
    """Follow a number between -1 and 1: the reward is minus the distance of the action to it."""

    observation_space: spaces.Space[Any] = spaces.Box(-1.0, 1.0, (2,), np.float32)
    action_space: spaces.Space[Any] = spaces.Box(np.array([10.0, -5.0], np.float32), np.array([30.0, 5.0], np.float32))

    def __init__(self, fail_at: int = 0, die_at: int = 0, hang_at: int = 0, offers: bool = False) -> None:
        self._offers = offers
        self._at = {"fail": fail_at, "die": die_at, "hang": hang_at}
        self._n = 0
        self._target = np.zeros(2, np.float32)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self._n = 0
        return self._look(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self._n += 1
        self._misbehave()
        reward = -self._distance(action)
        over = self._n >= LENGTH
        return self._look(), reward, False, over, {"metrics": {"energy_kwh": float(self._n)}} if over else {}

    def baselines(self) -> dict[str, Any]:
        return {"half way": lambda _: np.array([20.0, 0.0], np.float32)} if self._offers else {}

    def _look(self) -> Any:
        self._target = self.np_random.uniform(-1, 1, 2).astype(np.float32)
        return self._target

    def _distance(self, action: Any) -> float:
        low, high = self.action_space.low, self.action_space.high  # type: ignore[attr-defined]
        scaled = (np.asarray(action) - low) / (high - low) * 2 - 1
        return float(np.abs(scaled - self._target).mean())

    def _misbehave(self) -> None:
        if self._n == self._at["fail"]:
            raise RuntimeError("the boiler burst")
        if self._n == self._at["die"]:
            os.kill(os.getpid(), 9)
        if self._n == self._at["hang"]:
            time.sleep(60)


class Announced(Tracking):
    """The same, and each process that makes it leaves its id in a directory."""

    def __init__(self, leave_word: str = "") -> None:
        super().__init__()
        Path(leave_word, str(os.getpid())).touch()


def follow(observation: Floats) -> Floats:
    """What is best in `Tracking`."""
    return (observation + 1) / 2 * np.array([20.0, 10.0]) + np.array([10.0, -5.0])


class Choosing(Tracking):
    """Which of three thirds is the number in?"""

    observation_space = spaces.Box(-1.0, 1.0, (2,), np.float32)
    action_space = spaces.Discrete(3)

    def _distance(self, action: Any) -> float:
        return float(abs(int(action) - int((self._target[0] + 1) * 1.499)))


class Masked(Choosing):
    """The same, and the answer that is two off is not possible."""

    def action_masks(self) -> Floats:
        right = int((self._target[0] + 1) * 1.499)
        return np.array([abs(arm - right) < 2 for arm in range(3)])


class Mortal(Masked):
    """The same, whose process is killed in its third episode."""

    def __init__(self) -> None:
        super().__init__()
        self._n_all = 0

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self._n_all += 1
        if self._n_all == 2 * LENGTH + LENGTH // 2:
            os.kill(os.getpid(), 9)
        return super().step(action)


class Filmed(Choosing):
    """The same, and it shows itself."""

    metadata = {"render_modes": ["rgb_array"]}  # noqa: RUF012

    def __init__(self, render_mode: str | None = None) -> None:
        super().__init__()
        self.render_mode = render_mode

    def render(self) -> Floats:
        picture = np.zeros((8, 60, 3), np.uint8)
        picture[:, 3 * self._n - 1] = 255
        return picture


class Several(Choosing):
    """Two choices at once, from a dictionary."""

    observation_space = spaces.Dict({"a": spaces.Box(-1.0, 1.0, (2,), np.float32), "b": spaces.Discrete(4)})
    action_space = spaces.MultiDiscrete([3, 2])

    def _look(self) -> Any:
        return {"a": super()._look(), "b": int(self.np_random.integers(4))}

    def _distance(self, action: Any) -> float:
        return float(abs(int(action[0]) - int((self._target[0] + 1) * 1.499)))


class Switches(Choosing):
    """Two switches, seen through whole numbers."""

    observation_space = spaces.MultiDiscrete([3, 2])
    action_space = spaces.MultiBinary(2)

    def _look(self) -> Any:
        self._target = self.np_random.integers(2, size=2)
        return self._target.copy()

    def _distance(self, action: Any) -> float:
        return float(np.abs(np.asarray(action) - self._target).sum())


class Numbered(Choosing):
    """A state that has only a number."""

    observation_space = spaces.Discrete(4)

    def _look(self) -> Any:
        self._state = int(self.np_random.integers(3))
        return self._state

    def _distance(self, action: Any) -> float:
        return float(abs(int(action) - self._state))


class Pixels(Choosing):
    """A picture that is bright where the answer is."""

    observation_space = spaces.Box(0, 255, (36, 36, 1), np.uint8)

    def _look(self) -> Any:
        super()._look()
        picture = np.zeros((36, 36, 1), np.uint8)
        picture[:, 12 * int((self._target[0] + 1) * 1.499) :][:, :12] = 255
        return picture


class Reaching(gymnasium.Env[Any, Any]):
    """Go to a point on a line; the goal is part of the observation."""

    def __init__(self, discrete: bool = False) -> None:
        point = spaces.Box(-2.0, 2.0, (1,), np.float32)
        self.observation_space = spaces.Dict({"observation": point, "achieved_goal": point, "desired_goal": point})
        self.action_space: spaces.Space[Any] = spaces.Discrete(2) if discrete else spaces.Box(-1.0, 1.0, (1,), np.float32)
        self._n = 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self._n, self._x = 0, np.zeros(1, np.float32)
        self._goal = self.np_random.uniform(-1, 1, 1).astype(np.float32)
        return self._look(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self._n += 1
        push = np.float32(2 * int(action) - 1) if isinstance(self.action_space, spaces.Discrete) else np.asarray(action)
        self._x = np.clip(self._x + 0.2 * push, -2, 2).astype(np.float32)
        return self._look(), float(self.compute_reward(self._x, self._goal, {})), False, self._n >= LENGTH, {}

    def compute_reward(self, achieved: Floats, desired: Floats, info: Any) -> Floats:
        return -(np.linalg.norm(achieved - desired, axis=-1) > 0.2).astype(np.float32)

    def _look(self) -> dict[str, Floats]:
        return {"observation": self._x.copy(), "achieved_goal": self._x.copy(), "desired_goal": self._goal.copy()}


class Changing(Several):
    """A dictionary that from the fifth step on is not what it was: `how` says in what."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self._how = how

    def _look(self) -> Any:
        seen = super()._look()
        if self._n < 5:
            return seen
        changed: dict[str, dict[str, Any]] = {
            "shape": {"a": np.zeros(3, np.float32)},
            "nan": {"a": np.full(2, np.nan, np.float32)},
            "more": {"c": 1},
        }
        return {**seen, **changed[self._how]}


class MaskedSeveral(Several):
    """Two choices at once, of which not all are possible."""

    def action_masks(self) -> Floats:
        return np.array([True, True, False, True, True])


class Unruly(Tracking):
    """Breaks the contract in one way, which `how` names."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self._how = how
        if how == "make":
            raise OSError("no free licence")
        if how == "type":
            raise TypeError("a boiler is no pump")

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        answer = super().reset(seed=seed)
        if self._how == "reset":
            raise OSError("the plant is offline")
        if self._how == "hang":
            time.sleep(60)
        if self._how == "bare":
            return answer[0]
        return answer

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        answer: Any = super().step(action)
        changed: dict[str, Any] = {
            "none": (answer[0], None, *answer[2:]),
            "old": (*answer[:2], False, {}),
            "words": (*answer[:4], {"metrics": {"phase": "night", "kwh": 2, "loss": float("nan")}}),
        }
        if self._how == "space" and self._n == 5:
            self.observation_space = spaces.Box(-1.0, 1.0, (3,), np.float32)
        return changed.get(self._how, answer)

    def suggestions(self) -> Any:
        if self._how == "suggest":
            raise AttributeError("no valve")
        return {}


class Blocked(Masked):
    """From the fifth step on `flags` say what is possible."""

    def __init__(self, flags: list[bool]) -> None:
        super().__init__()
        self._flags = flags

    def action_masks(self) -> Floats:
        return super().action_masks() if self._n < 5 else np.array(self._flags)


class Doubled(Tracking):
    """Shows numbers of another type than it says."""

    def _look(self) -> Any:
        return super()._look().astype(np.float64)


class Counted(MaskedSeveral):
    """The same two choices, counted from 1 and from 5: whoever counts from 0 says what is no action."""

    action_space = spaces.MultiDiscrete([3, 2], start=[1, 5])

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        if not self.action_space.contains(np.asarray(action)):
            raise ValueError(f"no action: {action}")
        if action[0] == 3:
            raise ValueError("not possible")
        return super().step(np.asarray(action) - self.action_space.start)
