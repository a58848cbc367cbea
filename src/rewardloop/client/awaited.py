"""The awaited client: the same as the blocking one; its queue is brought away by the same thread."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Self

from rewardloop.client.asking import Asking
from rewardloop.client.blocking import FLUSH_SECONDS
from rewardloop.client.connection import AsyncConnection, Unreachable, passes
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


class AsyncClient(Asking):
    """`Client`, awaited. Belongs to one event loop; its arguments are those of `Client`."""

    def _open(self) -> None:
        self._connection = AsyncConnection(self._server)

    async def decide(
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
        """As `Client.decide`."""
        event_id = event_id or self._calls.new_id()
        post = self._calls.decide(context, actions, event_id, top_k, slots, explore, default is not None, sticky)
        if default is None:
            return read_decided(await self._connection.post(post))
        answer = await self._in_time(post, self._server.timeout_seconds if timeout_seconds is None else timeout_seconds)
        if answer is None:
            return by_default(event_id, default, slots)
        await asyncio.to_thread(self._background().send, [self._calls.activate(event_id)])
        return read_decided(answer)

    async def decide_many(self, contexts: Iterable[Context], actions: Actions = None) -> list[Decided]:
        """As `Client.decide_many`."""
        return read_many(await self._connection.post(self._calls.decide_many(contexts, actions)))

    async def reward(
        self,
        event_id: str,
        reward: float,
        *,
        reward_id: str = "",
        final: bool = False,
        slot: str = "",
        metrics: Mapping[str, float] = NOTHING,
    ) -> None:
        """As `Client.reward`."""
        await self._tell(self._calls.reward(event_id, reward, reward_id, final, slot, metrics))

    async def reward_many(self, rewards: Iterable[tuple[str, float]]) -> None:
        """As `Client.reward_many`."""
        posts = self._calls.rewards(rewards)
        if self._courier is not None and self._queued:
            await asyncio.to_thread(self._courier.send, posts)
        elif posts:
            await self._connection.post(together(posts))

    async def activate(self, event_id: str) -> None:
        """As `Client.activate`."""
        await self._tell(self._calls.activate(event_id))

    async def flush(self, timeout_seconds: float = FLUSH_SECONDS) -> bool:
        """As `Client.flush`."""
        return await asyncio.to_thread(self._courier.flush, timeout_seconds) if self._courier is not None else True

    async def close(self, timeout_seconds: float = FLUSH_SECONDS) -> None:
        """As `Client.close`."""
        if self._courier is not None:
            await asyncio.to_thread(self._courier.close, timeout_seconds)
        await self._connection.close()

    async def _tell(self, post: Post) -> None:
        if self._courier is not None and self._queued:
            await asyncio.to_thread(self._courier.send, [post])
        else:
            await self._connection.post(post)

    async def _in_time(self, post: Post, seconds: float) -> bytes | None:
        try:
            async with asyncio.timeout(seconds):
                return await self._connection.post(post)
        except (TimeoutError, Unreachable):
            return None
        except RequestRefused as error:
            if passes(error.status):
                return None
            raise

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()
