"""An environment under watch: what it raises, what it must not answer, and how long it may take. One wrapper, any process."""

from __future__ import annotations

import faulthandler
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gymnasium

from rewardloop.errors import RewardloopError, SimulatorFailed, SimulatorHung
from rewardloop.rl.answers import answered_within, check_masks, check_reset, check_step, quoted
from rewardloop.rl.environments import MASKS, Env, EnvSpec, make_env
from rewardloop.rl.last_words import stack_beside


def make_guarded(spec: EnvSpec, timeout_s: float | None = None, *, render: bool = False) -> Env:
    """An environment to play in, in this process, as long as `timeout_s` an answer. Raises what `make_env` raises."""
    return Guarded(make_env(spec, render=render, timeout_s=timeout_s), timeout_s=timeout_s, alone=True)


def worker_env(spec: EnvSpec, words: Path, timeout_s: float) -> Env:
    """What a worker steps; where it cannot even be made, the worker's last words say why."""
    try:
        return make_env(spec, timeout_s=timeout_s)
    except RewardloopError as error:
        words.parent.mkdir(parents=True, exist_ok=True)
        words.write_text(str(error))
        raise


class Guarded(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Raises `SimulatorFailed` where the environment raises anything, rewards with what is no finite number, masks every action,
    says other spaces than at the beginning, or shows what is not of them (another shape, a part that is missing, no number;
    bounds are not looked at).

    `words` is where its last words are left for the trainer, which only sees that a process has gone. A step or reset that takes
    longer than `timeout_s` (0 or None: whatever it takes) ends the process, by the kernel, after writing down where it was; in the
    trainer's own process (`alone`) it raises `SimulatorHung` as soon as the environment is back in Python.
    """

    def __init__(self, env: Env, words: Path | None = None, timeout_s: float | None = None, *, alone: bool = False) -> None:
        super().__init__(env)
        self._promised = env.observation_space, env.action_space
        self._words = words
        self._timeout_s = timeout_s if threading.current_thread() is threading.main_thread() else None
        self._alone = alone
        self._n_steps = 0
        if self._timeout_s and not alone:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            if words is not None:
                words.parent.mkdir(parents=True, exist_ok=True)
                self._stack = stack_beside(words).open("w")
                faulthandler.register(signal.SIGALRM, self._stack, all_threads=False, chain=True)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        with self._watched("reset"):
            answer = self.env.reset(seed=seed, options=options)
            self._check_spaces()
            check_reset(answer, self._promised[0])
        return answer

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        self._n_steps += 1
        with self._watched(f"step {self._n_steps}"):
            answer = self.env.step(action)
            check_step(answer, self._promised[0])
        return answer

    def get_wrapper_attr(self, name: str) -> Any:
        found = super().get_wrapper_attr(name)
        return self._masking(found) if name == MASKS and callable(found) else found

    def close(self) -> None:
        if hasattr(self, "_stack"):
            faulthandler.unregister(signal.SIGALRM)
            self._stack.close()
        self.env.close()

    def _masking(self, ask: Callable[[], Any]) -> Callable[[], Any]:
        def masks() -> Any:
            with self._watched(f"`{MASKS}` after step {self._n_steps}"):
                answer = ask()
                check_masks(answer, self._promised[1])
            return answer

        return masks

    def _check_spaces(self) -> None:
        now = self.env.observation_space, self.env.action_space
        for name, was, is_now in zip(("observation", "action"), self._promised, now, strict=True):
            if is_now is not was and is_now != was:
                raise ValueError(f"expected the {name} space to stay as it was, {was}, got {is_now}")

    @contextmanager
    def _watched(self, where: str) -> Iterator[None]:
        try:
            with self._timed(where):
                yield
        except SimulatorHung:
            raise
        except Exception as error:
            raise self._failed(error, where) from error

    def _failed(self, error: Exception, where: str) -> SimulatorFailed:
        sentence = f"The environment failed at {where}: {quoted(error)}"
        if self._words is not None:
            self._words.parent.mkdir(parents=True, exist_ok=True)
            self._words.write_text(sentence)
        return SimulatorFailed(sentence)

    @contextmanager
    def _timed(self, where: str) -> Iterator[None]:
        if self._alone or not self._timeout_s:
            with answered_within(self._timeout_s, where):
                yield
            return
        signal.setitimer(signal.ITIMER_REAL, self._timeout_s)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
