"""What a writer has done off its commit path, on one thread of its own: the next segment made, the last one sealed."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from rewardloop.log.appender import Appender
from rewardloop.log.sealing import finish
from rewardloop.settings import LogSettings


class Housekeeper:
    """A segment that cannot be sealed just now (a full disk) is tried again at the next turn."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="rewardloop-log")
        self._unsealed: list[Appender] = []

    def prepare(self, path: Path, settings: LogSettings) -> Future[Appender]:
        return self._thread.submit(Appender.make, path, settings)

    def retire(self, segment: Appender) -> None:
        """Takes over a segment and its file."""
        try:
            self._thread.submit(self._seal, segment)
        except RuntimeError:  # The interpreter is ending, and has no threads any more.
            self._seal(segment)

    def close(self, ahead: Future[Appender] | None) -> bool:
        """Waits until all is done, throws away the segment made ahead; whether every segment is sealed."""
        if ahead is not None and not ahead.cancel() and ahead.exception() is None:
            self.retire(ahead.result())
        self._thread.shutdown(wait=True)
        for segment in self._unsealed:
            segment.close()
        return not self._unsealed

    def _seal(self, segment: Appender) -> None:
        self._unsealed = [each for each in (*self._unsealed, segment) if not finish(each)]
