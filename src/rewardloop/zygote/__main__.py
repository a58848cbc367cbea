"""The process between a trainer and its simulators: makes a template for each day and weather, ends them all.

    python -m rewardloop.zygote DIRECTORY SOCKET LOCK

It lives as long as the trainer holds the other end of the socket, then removes the directory and everything it started. It
never enters EnergyPlus itself, so nothing that EnergyPlus does can keep it from noticing. While it holds the lock, nobody sweeps
its directory.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import sys
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path

from pyenergyplus.api import EnergyPlusAPI

from rewardloop.zygote.model import write_run
from rewardloop.zygote.plan import MODEL, read_plan
from rewardloop.zygote.tables import Tables
from rewardloop.zygote.template import Template, die_with, requested, run_template
from rewardloop.zygote.wire import pair, receive_fds, send_fds


class Zygote:
    """Templates by (weather, day), the last used last."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._plan = read_plan(directory)
        self._model = json.loads((directory / MODEL).read_text())
        self._library = EnergyPlusAPI()
        self._templates: OrderedDict[tuple[str, int], tuple[socket.socket, Path]] = OrderedDict()
        self._n_made = 0

    def serve(self, control: socket.socket) -> None:
        """Until the trainer is gone."""
        while True:
            message, ends = receive_fds(control)
            if not message:
                return
            self._start(requested(message), message, ends, control)
            for fd in ends:
                os.close(fd)
            self._reap()

    def _start(self, key: tuple[str, int], message: bytes, ends: list[int], control: socket.socket) -> None:
        """Passes a request to its template, which is made first where there is none, or none any more."""
        if key in self._templates:
            self._templates.move_to_end(key)
            try:
                send_fds(self._templates[key][0], message, *ends)
                return
            except OSError:
                self._drop(key)
        self._make(key, ends, control)
        if len(self._templates) > self._plan.templates:
            self._drop(next(iter(self._templates)))

    def _make(self, key: tuple[str, int], ends: list[int], control: socket.socket) -> None:
        weather, day = key
        self._n_made += 1
        place = self._directory / str(self._n_made)
        place.mkdir()
        ours, theirs = pair()
        parent = os.getpid()
        if os.fork():
            theirs.close()
            self._templates[key] = (ours, place)
            return
        die_with(parent)
        for sock in (control, ours, *[other for other, _ in self._templates.values()]):
            sock.close()
        model = place / MODEL
        write_run(self._model, day, self._plan.days, model)
        tables = Tables(self._library)
        template = Template(theirs, ends, Path(weather), place, tables)
        run_template(self._plan, self._library, template, tables, model)

    def _drop(self, key: tuple[str, int]) -> None:
        """A template that is let go ends after the last of its episodes; its files go now."""
        sock, place = self._templates.pop(key)
        sock.close()
        shutil.rmtree(place, ignore_errors=True)

    def _reap(self) -> None:
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            pass


def main(directory: Path, fd: int) -> None:
    for interrupt in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(interrupt, signal.SIG_IGN)
    with socket.socket(fileno=fd) as control:
        try:
            Zygote(directory).serve(control)
        finally:
            shutil.rmtree(directory, ignore_errors=True)
            with suppress(OSError):  # Where others are, it stays.
                directory.parent.rmdir()
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
