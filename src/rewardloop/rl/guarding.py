"""An environment under watch: what it raises, what it must not answer, and how long it may take. One wrapper, any process."""

from __future__ import annotations

import faulthandler
import math
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import gymnasium
import numpy as np
from gymnasium import spaces

from rewardloop.errors import TrainingFailed
from rewardloop.rl.environments import Env
from rewardloop.rl.last_words import stack_beside


class Guarded(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Raises `TrainingFailed` where the environment raises anything, rewards with what is no finite number, or shows what is not
    of the space it promised (another shape, a part that is missing, no number; bounds are not looked at).

    `words` is where its last words are left for the trainer, which only sees that a process has gone. A step or reset that takes
    longer than `timeout_s` (0 or None: whatever it takes) ends the process, by the kernel, after writing down where it was; in the
    trainer's own process (`alone`) it raises `TrainingFailed` as soon as the environment is back in Python.
    """

    def __init__(self, env: Env, words: Path | None = None, timeout_s: float | None = None, *, alone: bool = False) -> None:
        super().__init__(env)
        self._words = words
        self._timeout_s = timeout_s if threading.current_thread() is threading.main_thread() else None
        self._alone = alone
        self._n_steps = 0
        self._where = "reset"
        if self._timeout_s and not alone:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            if words is not None:
                words.parent.mkdir(parents=True, exist_ok=True)
                self._stack = stack_beside(words).open("w")
                faulthandler.register(signal.SIGALRM, self._stack, all_threads=False, chain=True)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        with self._watched("reset"):
            answer = self.env.reset(seed=seed, options=options)
            check_observation(self.observation_space, answer[0])
        return answer

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        self._n_steps += 1
        with self._watched(f"step {self._n_steps}"):
            answer = self.env.step(action)
            if not math.isfinite(answer[1]):
                raise ValueError(f"expected a finite reward, got {answer[1]}")
            check_observation(self.observation_space, answer[0])
        return answer

    def close(self) -> None:
        if hasattr(self, "_stack"):
            faulthandler.unregister(signal.SIGALRM)
            self._stack.close()
        self.env.close()

    @contextmanager
    def _watched(self, where: str) -> Iterator[None]:
        self._where = where
        self._arm()
        try:
            yield
        except TrainingFailed:
            raise
        except Exception as error:
            raise self._failed(error) from error
        finally:
            self._disarm()

    def _failed(self, error: Exception) -> TrainingFailed:
        sentence = f"The environment failed at {self._where}: {type(error).__name__}: {error}"
        if self._words is not None:
            self._words.parent.mkdir(parents=True, exist_ok=True)
            self._words.write_text(sentence)
        return TrainingFailed(sentence)

    def _arm(self) -> None:
        if self._timeout_s:
            if self._alone:
                self._before = signal.signal(signal.SIGALRM, self._late)
            signal.setitimer(signal.ITIMER_REAL, self._timeout_s)

    def _disarm(self) -> None:
        if self._timeout_s:
            signal.setitimer(signal.ITIMER_REAL, 0)
            if self._alone:
                signal.signal(signal.SIGALRM, self._before)

    def _late(self, number: int, frame: FrameType | None) -> NoReturn:
        where = f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}" if frame is not None else "nowhere"
        raise TrainingFailed(
            f"The environment did not answer {self._where} within {self._timeout_s:g} s (see --step-timeout); it was at {where}"
        )


def check_observation(space: spaces.Space[Any], observation: Any, name: str = "observation") -> None:
    """Raises `ValueError` for an observation that its space has no room for.

    >>> check_observation(spaces.Box(0, 1, (2,)), np.zeros(3))
    Traceback (most recent call last):
    ValueError: expected the observation to be of the space Box(0.0, 1.0, (2,), float32) as at the beginning, got the shape (3,)
    """
    if isinstance(space, spaces.Dict):
        if not isinstance(observation, Mapping) or set(observation) != set(space.spaces):
            got = sorted(observation) if isinstance(observation, Mapping) else type(observation).__name__
            raise ValueError(f"expected the {name} to have {', '.join(space.spaces)} as at the beginning, got {got}")
        for key, part in space.spaces.items():
            check_observation(part, observation[key], f"{name}.{key}")
    elif isinstance(space, spaces.Box):
        if np.shape(observation) != space.shape:
            raise ValueError(
                f"expected the {name} to be of the space {space} as at the beginning, got the shape {np.shape(observation)}"
            )
        if np.dtype(space.dtype).kind == "f" and not np.isfinite(observation).all():
            raise ValueError(f"expected the {name} to be finite, got {observation!r:.200}")
    elif not space.contains(observation):
        raise ValueError(f"expected the {name} to be of the space {space} as at the beginning, got {observation!r:.200}")
