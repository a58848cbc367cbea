"""A thread that brings what is in the outbox to the server, rewards many at a time, and waits while the server is away."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import takewhile
from pathlib import Path

from rewardloop.client.connection import Connection, Server, Unreachable, passes
from rewardloop.client.outbox import Outbox, Waiting
from rewardloop.client.wire import Post, RequestRefused, together
from rewardloop.errors import RewardloopError

BATCH = 500
_REWARDS = "/v1/rewards"
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0
_LOCKED_OUT = (401, 403)
"""Somebody mends a key: nothing is thrown away for the want of it."""

_logger = logging.getLogger(__name__)


class Courier:
    """Starts with the first request, or with those that an earlier process left. A forked child starts its own."""

    def __init__(self, server: Server, path: Path | None, limit: int) -> None:
        self.outbox = Outbox(path, limit)
        self._connection = Connection(replace(server, retries=0))
        self._join_seconds = server.timeout_seconds + 1
        self._begin()
        if len(self.outbox):
            self._wake()

    def send(self, posts: Iterable[Post]) -> None:
        """Sends them soon, in order: they are in the outbox when this returns. Raises `QueueFull`, `StorageUnavailable`."""
        self.outbox.add(posts)
        self._wake()

    def flush(self, timeout_seconds: float) -> bool:
        """Waits until nothing waits; False where the time was up before."""
        until = time.monotonic() + timeout_seconds
        self._wake()
        while len(self.outbox):
            if time.monotonic() > until:
                return False
            time.sleep(0.01)
        return True

    def close(self, timeout_seconds: float) -> None:
        """Flushes, and ends; what is left is for the next process where the outbox is a file. Once is enough."""
        if self._ended.is_set():
            return
        self.flush(timeout_seconds)
        self._ended.set()
        self._news.set()
        if self._thread is not None:
            self._thread.join(self._join_seconds)
        self._connection.close()
        self.outbox.close()

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._news = threading.Event()
        self._ended = threading.Event()

    def _wake(self) -> None:
        if os.getpid() != self._pid:
            self._begin()
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="rewardloop-courier", daemon=True)
                self._thread.start()
        self._news.set()

    def _run(self) -> None:
        pause = _FIRST_PAUSE
        while not self._ended.is_set():
            self._news.clear()
            if self._ended.is_set():
                return
            try:
                while self._deliver() and not self._ended.is_set():
                    pause = _FIRST_PAUSE
                self._news.wait()
            except RewardloopError as error:
                _logger.warning("what waits is tried again in %.1f s: %s", pause, error)
                self._ended.wait(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)

    def _deliver(self) -> bool:
        """Sends what comes first: rewards together, anything else alone; whether there was something."""
        first = self.outbox.oldest(BATCH)
        rewards = list(takewhile(lambda each: each.post.path == _REWARDS, first))
        some = rewards or first[:1]
        if some:
            self._send(some)
        return bool(some)

    def _send(self, some: Sequence[Waiting]) -> None:
        """All of them; one that is refused for good is put aside. Raises `Unreachable`, or `RequestRefused` where that passes."""
        try:
            self._connection.post(some[0].post if len(some) == 1 else together([each.post for each in some]))
        except RequestRefused as error:
            if passes(error.status) or error.status in _LOCKED_OUT:
                raise Unreachable(str(error)) from error
            if len(some) == 1:
                _logger.error("refused for good, and kept in the queue's table of refusals: %s", error)
                self.outbox.refuse(some[0], str(error))
                return
            for half in (some[: len(some) // 2], some[len(some) // 2 :]):
                self._send(half)
            return
        self.outbox.done(some)
