"""An environment under watch: what it raises, what it must not answer, and how long it may take. One wrapper, any process."""

from __future__ import annotations

import math
import signal
from pathlib import Path
from typing import Any

import gymnasium

from rewardloop.errors import TrainingFailed
from rewardloop.rl.environments import Env


class Guarded(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Raises `TrainingFailed` where the environment raises anything, or rewards with what is no finite number.

    `words` is where its last words are left for the trainer, which only sees that a process has gone. With `timeout_s`, for
    processes of their own, the kernel ends a process whose simulator does not come back.
    """

    def __init__(self, env: Env, words: Path | None = None, timeout_s: float | None = None) -> None:
        super().__init__(env)
        self._words = words
        self._timeout_s = timeout_s
        self._n_steps = 0
        if timeout_s is not None:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        self._arm()
        try:
            answer = self.env.reset(seed=seed, options=options)
        except Exception as error:
            raise self._failed("reset", error) from error
        self._disarm()
        return answer

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        self._n_steps += 1
        self._arm()
        try:
            answer = self.env.step(action)
            if not math.isfinite(answer[1]):
                raise ValueError(f"expected a finite reward, got {answer[1]}")
        except Exception as error:
            raise self._failed(f"step {self._n_steps}", error) from error
        self._disarm()
        return answer

    def _failed(self, where: str, error: Exception) -> TrainingFailed:
        self._disarm()
        sentence = f"The environment failed at {where}: {type(error).__name__}: {error}"
        if self._words is not None:
            self._words.parent.mkdir(parents=True, exist_ok=True)
            self._words.write_text(sentence)
        return TrainingFailed(sentence)

    def _arm(self) -> None:
        if self._timeout_s is not None:
            signal.setitimer(signal.ITIMER_REAL, self._timeout_s)

    def _disarm(self) -> None:
        if self._timeout_s is not None:
            signal.setitimer(signal.ITIMER_REAL, 0)
