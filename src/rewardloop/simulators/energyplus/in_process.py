"""The same episode without a fork: EnergyPlus in a thread of this process, trading with the trainer's through two queues.

For systems that cannot fork, and for debugging: a reset starts EnergyPlus anew. A thread rather than a coroutine on one stack,
so that Ctrl-C reaches the trainer and is not swallowed inside EnergyPlus's callback.
"""

from __future__ import annotations

from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread

from rewardloop.errors import Conflict, RewardloopError, SimulatorFailed, SimulatorHung
from rewardloop.scratch import Scratch
from rewardloop.simulators.energyplus.package import library
from rewardloop.simulators.energyplus.unresolved import raised_by
from rewardloop.zygote.descriptors import ERRORS
from rewardloop.zygote.model import Objects, write_run
from rewardloop.zygote.plan import MODEL, Plan
from rewardloop.zygote.run import Run, Unresolved
from rewardloop.zygote.tables import Tables
from rewardloop.zygote.wire import Ended

CLOSING_S = 30.0


class InProcessEpisode:
    """One run in one thread. `clone` is refused: a process cannot be copied without a fork."""

    def __init__(self, plan: Plan, model: Objects, weather: Path, day: int, start_timeout_s: float) -> None:
        self._plan = plan
        self._commands: SimpleQueue[bytes | None] = SimpleQueue()
        self._readings: SimpleQueue[bytes | RewardloopError] = SimpleQueue()
        self._scratch = Scratch()
        self._directory = self._scratch.path
        write_run(model, day, plan.days, self._directory / MODEL)
        self._thread: Thread | None = Thread(target=self._run, args=(weather,), daemon=True)
        self._thread.start()
        try:
            self.first = self._next(start_timeout_s)
        except BaseException:
            self.close()
            raise

    def ready(self, reading: bytes) -> bytes | None:
        return self.step(reading)

    def step(self, reading: bytes) -> bytes | None:
        self._readings.put(reading)
        return self._commands.get()

    def send(self, command: bytes) -> None:
        self._commands.put(command)

    def receive(self) -> bytes:
        return self._next(self._plan.step_timeout_s)

    def clone(self) -> InProcessEpisode:
        raise Conflict("An episode in this process cannot be cloned: open the environment with `mode: fork`")

    def close(self) -> None:
        """Ends EnergyPlus at its next step. A run that hangs cannot be ended from within its process; it is left alone."""
        if self._thread is not None:
            self._commands.put(None)
            self._thread.join(CLOSING_S)
            self._thread = None
            self._scratch.close()

    def _next(self, timeout_s: float) -> bytes:
        try:
            message = self._readings.get(timeout=timeout_s)
        except Empty:
            raise SimulatorHung(f"The simulator did not answer in {timeout_s:g} s: end this process") from None
        if isinstance(message, RewardloopError):
            self._readings.put(message)
            raise message
        return message

    def _run(self, weather: Path) -> None:
        try:
            loaded = library()
            code = Run(self._plan, self, loaded, Tables(loaded)).go(self._directory / MODEL, weather, self._directory)
            self._readings.put(raised_by(Ended("fatal", index=code), self._errors()))
        except Unresolved as error:
            self._readings.put(raised_by(Ended(error.kind, index=error.index, near=tuple(error.near)), ""))
        except Exception as error:
            self._readings.put(SimulatorFailed(f"The simulator failed: {type(error).__name__}: {error}"))

    def _errors(self) -> str:
        errors = self._directory / ERRORS
        return errors.read_text(errors="replace") if errors.exists() else ""
