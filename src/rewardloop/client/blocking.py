"""The blocking client."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotInTime
from types import TracebackType
from typing import Self

from rewardloop.client.asking import Asking
from rewardloop.client.connection import Connection, Unreachable, passes
from rewardloop.client.wire import (
    NOTHING,
    Actions,
    Context,
    Decided,
    Default,
    Post,
    RequestRefused,
    Slots,
    by_default,
    read_decided,
    read_many,
    together,
)

_WAITING_THREADS = 32
FLUSH_SECONDS = 5.0


class Client(Asking):
    """A blocking client of one experiment. Keep one for the life of a process: it holds its connections open. Threads may share it.

    `api_key` is sent as `X-API-Key`; `verify` is False for no check of the server's certificate, or a PEM file to trust. What
    is sent can be repeated safely, as event ids and reward ids are made here, and is, `retries` times.

    With `queue`, a file, rewards and activations are in that file when their call returns, and are sent in the background, many at
    once: they survive the server's absence and this process. The file belongs to one server and its experiments; `queue_limit`
    requests are kept, then `QueueFull` is raised. `entropy` makes ids.
    """

    def _open(self) -> None:
        self._connection = Connection(self._server)
        self._pid = os.getpid()
        self._threads: ThreadPoolExecutor | None = None

    def decide(
        self,
        context: Context,
        actions: Actions = None,
        *,
        event_id: str | None = None,
        top_k: int | None = None,
        slots: Slots = (),
        explore: bool = True,
        sticky: str | None = None,
        default: Default = None,
        timeout_seconds: float | None = None,
    ) -> Decided:
        """Ask for an action, a ranking, or slots filled. Raises `RequestRefused` with the server's sentence, `Unreachable`.

        `explore=False`: what the policy holds best, undrawn. `sticky`, such as the id of a user: all its decisions meet one
        variant of a trial.

        With `default` an answer that has not come after `timeout_seconds` is the default, and says so (`by_default`): then the
        server may have decided something else, which nobody saw. So such a decision is asked for deferred and
        activated when it was received, and neither it nor its rewards count where it was not.
        """
        event_id = event_id or self._calls.new_id()
        post = self._calls.decide(context, actions, event_id, top_k, slots, explore, default is not None, sticky)
        if default is None:
            return read_decided(self._connection.post(post))
        answer = self._in_time(post, self._server.timeout_seconds if timeout_seconds is None else timeout_seconds)
        if answer is None:
            return by_default(event_id, default, slots)
        self._background().send([self._calls.activate(event_id)])
        return read_decided(answer)

    def decide_many(self, contexts: Iterable[Context], actions: Actions = None) -> list[Decided]:
        """Ask for many at once: one answer a context, in order."""
        return read_many(self._connection.post(self._calls.decide_many(contexts, actions)))

    def reward(
        self,
        event_id: str,
        reward: float,
        *,
        reward_id: str = "",
        final: bool = False,
        slot: str = "",
        metrics: Mapping[str, float] = NOTHING,
    ) -> None:
        """Record a reward, of one slot or of the whole event, with further metrics; durable when this returns."""
        self._tell(self._calls.reward(event_id, reward, reward_id, final, slot, metrics))

    def reward_many(self, rewards: Iterable[tuple[str, float]]) -> None:
        """Record many (event id, reward) at once: all of them, or none and `RequestRefused`; with a queue, each by itself."""
        posts = self._calls.rewards(rewards)
        if self._courier is not None and self._queued:
            self._courier.send(posts)
        elif posts:
            self._connection.post(together(posts))

    def activate(self, event_id: str) -> None:
        """Count a deferred decision."""
        self._tell(self._calls.activate(event_id))

    def flush(self, timeout_seconds: float = FLUSH_SECONDS) -> bool:
        """Wait until the server has all; False where the time was up before."""
        return self._courier.flush(timeout_seconds) if self._courier is not None else True

    def close(self, timeout_seconds: float = FLUSH_SECONDS) -> None:
        """Flush, and close the connections; what the server could not take stays in the queue's file."""
        if self._courier is not None:
            self._courier.close(timeout_seconds)
        if self._threads is not None and self._pid == os.getpid():
            self._threads.shutdown(wait=False, cancel_futures=True)
        self._connection.close()

    def _tell(self, post: Post) -> None:
        if self._courier is not None and self._queued:
            self._courier.send([post])
        else:
            self._connection.post(post)

    def _in_time(self, post: Post, seconds: float) -> bytes | None:
        """On a thread of its own, for looking up a name or a slow trickle of bytes knows no time-out."""
        if self._threads is None or self._pid != os.getpid():
            self._pid = os.getpid()
            self._threads = ThreadPoolExecutor(_WAITING_THREADS, thread_name_prefix="rewardloop-decide")
        asked = self._threads.submit(self._connection.post, post)
        try:
            return asked.result(seconds)
        except (NotInTime, Unreachable):
            asked.cancel()
            return None
        except RequestRefused as error:
            if passes(error.status):
                return None
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
