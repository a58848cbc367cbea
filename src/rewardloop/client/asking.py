"""What the blocking and the awaited client have in common: whom they ask, as whom, and the queue of what is not there yet."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path

from rewardloop.client.connection import RETRIES, TIMEOUT_SECONDS, Server, Verify
from rewardloop.client.courier import Courier
from rewardloop.client.outbox import LIMIT
from rewardloop.client.wire import Calls


class Asking(ABC):
    """A client of one experiment, before it can send anything itself."""

    def __init__(
        self,
        url: str,
        experiment: str,
        *,
        api_key: str | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
        retries: int = RETRIES,
        verify: Verify = True,
        queue: Path | str | None = None,
        queue_limit: int = LIMIT,
        entropy: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._calls = Calls(experiment, entropy)
        self._server = Server(url, api_key, verify, timeout_seconds, retries)
        self._queued = queue is not None
        self._limit = queue_limit
        self._open()
        self._courier = Courier(self._server, Path(queue), queue_limit) if queue is not None else None

    @abstractmethod
    def _open(self) -> None:
        """Makes the connection to the server."""

    @property
    def n_waiting(self) -> int:
        """Requests that are not with the server yet."""
        return len(self._courier.outbox) if self._courier is not None else 0

    def refusals(self) -> list[str]:
        """Why the server will never take what it refused of the queue: its sentences, the newest thousand."""
        return [each.reason for each in self._courier.outbox.refusals()] if self._courier is not None else []

    def _background(self) -> Courier:
        """Where there is no queue: one in memory, for activations."""
        if self._courier is None:
            self._courier = Courier(self._server, None, self._limit)
        return self._courier
