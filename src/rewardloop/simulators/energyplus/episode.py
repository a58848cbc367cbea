"""An episode as the trainer holds it: commands in, readings out, whatever runs at the other end. The forked kind lives here."""

from __future__ import annotations

import os
import signal
import socket
import tempfile
from contextlib import suppress
from typing import IO, Protocol

from rewardloop.errors import SimulatorFailed, SimulatorHung
from rewardloop.simulators.energyplus.buildings.catalogue import quoted
from rewardloop.simulators.energyplus.unresolved import raised_by
from rewardloop.zygote.wire import CLONE, ENDED, LARGEST, limit_waiting, pair, send_fds, unpack_ended


class Episode(Protocol):
    """Laws: `first` is the reading after warm-up; every `step` takes one command and gives one reading, or raises
    `SimulatorFailed`; `close` may come at any time and twice. Readings and commands are packed doubles, in the plan's order."""

    @property
    def first(self) -> bytes: ...

    def send(self, command: bytes) -> None: ...

    def receive(self) -> bytes: ...

    def clone(self) -> Episode: ...

    def close(self) -> None: ...


class RequestLost(SimulatorFailed):
    """Nobody began: a template that was just ending (its building was refused, say) may have taken the request with it."""


class ForkedEpisode:
    """The trainer's end of a forked simulator."""

    def __init__(self, ours: socket.socket, errors: IO[bytes], start_timeout_s: float, step_timeout_s: float) -> None:
        self._socket, self._errors = ours, errors
        self._step_timeout_s = step_timeout_s
        self._pid = 0
        self._limit(start_timeout_s)
        try:
            self.first = self._hello()
        except BaseException:
            self.close()
            raise
        self._limit(step_timeout_s)

    def send(self, command: bytes) -> None:
        try:
            self._socket.send(command)
        except OSError:
            raise SimulatorFailed(f"The simulator has ended{self._said()}; reset to begin another episode") from None

    def receive(self) -> bytes:
        try:
            message = self._socket.recv(LARGEST)
        except BlockingIOError:
            self._kill()
            raise SimulatorHung(f"The simulator did not answer in {self._timeout_s:g} s and was ended{self._said()}") from None
        except OSError:
            message = b""
        if message and len(message) % 8 == 0:
            return message
        return self._ended(message)

    def clone(self) -> ForkedEpisode:
        """Another episode in the same state, at the same step."""
        ours, theirs = pair()
        errors = _unnamed_file()
        with theirs:
            try:
                self._socket.send(CLONE)
                send_fds(self._socket, CLONE, theirs.fileno(), errors.fileno())
            except OSError:
                ours.close()
                errors.close()
                raise SimulatorFailed(f"The simulator has ended{self._said()}") from None
        return ForkedEpisode(ours, errors, self._step_timeout_s, self._step_timeout_s)

    def close(self) -> None:
        self._socket.close()
        self._errors.close()

    def _limit(self, seconds: float) -> None:
        self._timeout_s = seconds
        limit_waiting(self._socket, seconds)

    def _hello(self) -> bytes:
        message = self._awaited()
        if message.startswith(b"{pid"):
            self._pid = int(message[len(b"{pid") :])
            return self.receive()
        if not message and not self._written():
            raise RequestLost("The simulator crashed before it began")
        return self._ended(message)

    def _awaited(self) -> bytes:
        try:
            return self._socket.recv(LARGEST)
        except BlockingIOError:
            raise SimulatorHung(f"The simulator was not ready in {self._timeout_s:g} s: raise `start_timeout_s`") from None
        except OSError:
            return b""

    def _ended(self, message: bytes) -> bytes:
        if message.startswith(ENDED):
            ended = unpack_ended(message)
            raise raised_by(ended, ended.text or self._written())
        raise SimulatorFailed(f"The simulator crashed{self._said()}")

    def _said(self) -> str:
        written = self._written()
        return f"; it said: {quoted(written)}" if written else ""

    def _written(self) -> str:
        if self._errors.closed:
            return ""
        self._errors.seek(0)
        return self._errors.read(1 << 20).decode(errors="replace")

    def _kill(self) -> None:
        if self._pid:
            with suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)


def _unnamed_file() -> IO[bytes]:
    """A file that is gone from the directory already: nothing is left of it, whoever is killed."""
    file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 # the episode closes it
    return file


def request(control: socket.socket, message: bytes, start_timeout_s: float, step_timeout_s: float) -> ForkedEpisode:
    """Asks a zygote for an episode, and waits until it stands after warm-up."""
    ours, theirs = pair()
    errors = _unnamed_file()
    with theirs:
        try:
            send_fds(control, message, theirs.fileno(), errors.fileno())
        except OSError as error:
            ours.close()
            errors.close()
            raise SimulatorFailed(f"The simulators' process is gone ({error.strerror}); open the environment anew") from None
    return ForkedEpisode(ours, errors, start_timeout_s, step_timeout_s)
