"""A warmed-up simulator that is forked for every episode, and the episode it is forked into. Runs in processes of their own.

EnergyPlus calls us after warm-up, and there the template stays, on EnergyPlus's own stack, for as long as it lives: each request
forks it, and the child returns into EnergyPlus and goes on. An episode is forked the same way when it is cloned.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import socket
from contextlib import suppress
from ctypes import CDLL
from pathlib import Path

from pyenergyplus.api import EnergyPlusAPI

from rewardloop.zygote.descriptors import ERRORS, OpenFiles, detach, open_files
from rewardloop.zygote.plan import Plan
from rewardloop.zygote.run import Run, Unresolved
from rewardloop.zygote.tables import Tables
from rewardloop.zygote.wire import CLONE, LARGEST, Ended, pack_ended, receive_fds

PR_SET_PDEATHSIG = 1
_PRCTL = CDLL(None).prctl
"""Looked up once: a child would pay for it anew, in copied pages."""


class Template:
    """The hand-off of a template, and from the fork on of an episode: `_socket` then leads to the trainer, not to the zygote.

    `first` are the ends of the request it was made for: the trainer's socket, and the file for what is said of errors.
    `tables` are those of the EnergyPlus that it runs.
    """

    def __init__(self, requests: socket.socket, first: list[int], weather: Path, directory: Path, tables: Tables) -> None:
        self._socket, self._ends, self._tables = requests, first, tables
        self.weather, self.directory = weather, directory
        self.is_episode = False
        self._files = OpenFiles((), (), ())

    def ready(self, reading: bytes) -> bytes | None:
        """In the template this never returns; in a child it is the episode's first wait for a command."""
        self._files = open_files(self.weather, self.directory)
        gc.freeze()
        while not self._fork_episode():
            _, self._ends = receive_fds(self._socket)
            if not self._ends:
                _leave()
        return self.step(reading)

    def step(self, reading: bytes) -> bytes | None:
        self._socket.send(reading)
        while (command := self._socket.recv(LARGEST)) == CLONE:
            _, self._ends = receive_fds(self._socket)
            if self._ends and self._fork_episode():
                self._socket.send(reading)
        if not command:
            _leave()
        return command

    def end(self, ended: Ended) -> None:
        """Tells whoever waits why nothing more will come."""
        if self.is_episode:
            with suppress(OSError):
                self._socket.send(pack_ended(ended))
            return
        self._socket.setblocking(False)
        while self._ends:
            with suppress(OSError), socket.socket(fileno=self._ends[0]) as waiting:
                waiting.send(pack_ended(ended))
            try:
                _, self._ends = receive_fds(self._socket)
            except BlockingIOError:
                self._ends = []

    def errors(self) -> str:
        """What EnergyPlus wrote of errors before the fork, if this is a template."""
        with suppress(OSError):
            return (self.directory / ERRORS).read_text(errors="replace")
        return ""

    def _fork_episode(self) -> bool:
        """Whether this is now the child. Either side closes what belongs to the other."""
        to_trainer, errors = self._ends
        parent = os.getpid()
        if os.fork():
            os.close(to_trainer)
            os.close(errors)
            return False
        die_with(parent)
        self._socket.close()
        self._socket, self.is_episode = socket.socket(fileno=to_trainer), True
        detach(self._files, self.weather, errors)
        os.close(errors)
        try:
            self._tables.renew()
        except OSError as error:
            self.end(Ended("failed", f"no memory for its tables: {error.strerror}"))
            os._exit(0)
        self._socket.send(b"{pid" + str(os.getpid()).encode())
        return True


def run_template(plan: Plan, library: EnergyPlusAPI, template: Template, tables: Tables, model: Path) -> None:
    """The life of a template, and of every episode forked from it. Whatever happens in EnergyPlus, the trainer is told."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        code = Run(plan, template, library, tables).go(model, template.weather, template.directory)
        template.end(Ended("fatal", template.errors() if not template.is_episode else "", index=code))
    except Unresolved as error:
        template.end(Ended(error.kind, index=error.index, near=tuple(error.near)))
    except Exception as error:
        template.end(Ended("failed", f"{type(error).__name__}: {error}"))
    os._exit(0)


def die_with(parent: int) -> None:
    """The kernel ends this process when its parent ends, for whatever reason."""
    _PRCTL(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)


def _leave() -> None:
    """Ends this process once those forked from it have ended, who would else end with it."""
    with suppress(ChildProcessError):
        while True:
            os.wait()
    os._exit(0)


def requested(message: bytes) -> tuple[str, int]:
    """The weather and the day of a request."""
    raw = json.loads(message)
    return raw["weather"], raw["day"]
