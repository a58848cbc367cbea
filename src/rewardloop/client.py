"""The HTTP client: decide and reward from another process. `Client` waits, `AsyncClient` is awaited; both speak the native API."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType, TracebackType
from typing import Self
from urllib.parse import quote

import httpx2
import msgspec

from rewardloop.errors import RewardloopError

TIMEOUT_SECONDS = 10.0
NOTHING: Mapping[str, float] = MappingProxyType({})

Context = Mapping[str, object]
Actions = Sequence[object] | Mapping[str, float] | None
Slots = Sequence[Mapping[str, object]]


class DecidedSlot(msgspec.Struct, frozen=True):
    """What one slot shows; its probability is conditional on the slots above."""

    slot: str
    action: str
    index: int
    probability: float


class Decided(msgspec.Struct, frozen=True):
    """The answer of `decide`."""

    event_id: str
    action: str
    index: int
    probability: float
    model_id: str
    slots: tuple[DecidedSlot, ...] = ()
    """Where `top_k` or `slots` were asked for."""
    values: tuple[float, ...] = ()
    """Where the actions are continuous: what was chosen."""
    density: float | None = None
    """What `values` was drawn with; None where it was not drawn."""


class RequestRefused(RewardloopError):
    """The server answered with a problem document; `status` is its HTTP status, the text its explanation."""

    code, title = "request-refused", "Request refused"

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


class _Many(msgspec.Struct, frozen=True):
    decisions: list[Decided]


class _Problem(msgspec.Struct, frozen=True):
    detail: str


@dataclass(frozen=True, slots=True)
class _Calls:
    """What each method posts where: the wire format, once for both clients."""

    experiment: str

    def decide(
        self, context: Context, actions: Actions, event_id: str | None, top_k: int | None, slots: Slots
    ) -> tuple[str, bytes]:
        body: dict[str, object] = {"context": context}
        if top_k is not None:
            body["top_k"] = top_k
        if slots:
            body["slots"] = slots
        if actions is not None:
            body["actions"] = actions
        if event_id is not None:
            body["event_id"] = event_id
        return f"/v1/experiments/{self.experiment}/decide", msgspec.json.encode(body)

    def decide_many(self, contexts: Iterable[Context], actions: Actions) -> tuple[str, bytes]:
        body: dict[str, object] = {"requests": [{"context": context} for context in contexts]}
        if actions is not None:
            body["actions"] = actions
        return f"/v1/experiments/{self.experiment}/decide/batch", msgspec.json.encode(body)

    def reward(  # noqa: PLR0917 - the fields of the body
        self, event_id: str, reward: float, reward_id: str, final: bool, slot: str, metrics: Mapping[str, float]
    ) -> tuple[str, bytes]:
        told = {"event_id": event_id, "reward": reward, "reward_id": reward_id, "final": final, "slot": slot}
        body = {**told, "experiment": self.experiment} | ({"metrics": dict(metrics)} if metrics else {})
        return "/v1/rewards", msgspec.json.encode(body)

    def reward_many(self, rewards: Iterable[tuple[str, float]]) -> tuple[str, bytes]:
        body = [{"event_id": event_id, "reward": reward, "experiment": self.experiment} for event_id, reward in rewards]
        return "/v1/rewards", msgspec.json.encode({"rewards": body})

    def activate(self, event_id: str) -> tuple[str, bytes]:
        return f"/v1/events/{quote(event_id, safe='')}/activate", msgspec.json.encode({"experiment": self.experiment})


def _read(response: httpx2.Response) -> bytes:
    if response.is_success:
        return response.content
    try:
        detail = msgspec.json.decode(response.content, type=_Problem).detail
    except msgspec.DecodeError:
        detail = f"Expected a problem document with the {response.status_code}, got {response.text[:200]!r}"
    raise RequestRefused(response.status_code, detail)


class Client:
    """A blocking client of one experiment. Keep one for the life of a process: it holds its connections open."""

    def __init__(self, url: str, experiment: str, *, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self._calls = _Calls(experiment)
        self._http = httpx2.Client(base_url=url, headers={"content-type": "application/json"}, timeout=timeout_seconds)

    def decide(
        self,
        context: Context,
        actions: Actions = None,
        *,
        event_id: str | None = None,
        top_k: int | None = None,
        slots: Slots = (),
    ) -> Decided:
        """Ask for an action, a ranking, or slots filled. Raises `RequestRefused` with the server's sentence."""
        return msgspec.json.decode(self._post(*self._calls.decide(context, actions, event_id, top_k, slots)), type=Decided)

    def decide_many(self, contexts: Iterable[Context], actions: Actions = None) -> list[Decided]:
        """Ask for many at once: one answer a context, in order."""
        return msgspec.json.decode(self._post(*self._calls.decide_many(contexts, actions)), type=_Many).decisions

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
        """Record a reward, of one slot or of the whole event, and what else was measured; durable when this returns."""
        self._post(*self._calls.reward(event_id, reward, reward_id, final, slot, metrics))

    def reward_many(self, rewards: Iterable[tuple[str, float]]) -> None:
        """Record many (event id, reward) at once: all of them, or none and `RequestRefused`."""
        self._post(*self._calls.reward_many(rewards))

    def activate(self, event_id: str) -> None:
        """Count a deferred decision."""
        self._post(*self._calls.activate(event_id))

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _post(self, path: str, body: bytes) -> bytes:
        return _read(self._http.post(path, content=body))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


class AsyncClient:
    """The same, awaited."""

    def __init__(self, url: str, experiment: str, *, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self._calls = _Calls(experiment)
        self._http = httpx2.AsyncClient(base_url=url, headers={"content-type": "application/json"}, timeout=timeout_seconds)

    async def decide(
        self,
        context: Context,
        actions: Actions = None,
        *,
        event_id: str | None = None,
        top_k: int | None = None,
        slots: Slots = (),
    ) -> Decided:
        """Ask for an action, a ranking, or slots filled. Raises `RequestRefused` with the server's sentence."""
        return msgspec.json.decode(await self._post(*self._calls.decide(context, actions, event_id, top_k, slots)), type=Decided)

    async def decide_many(self, contexts: Iterable[Context], actions: Actions = None) -> list[Decided]:
        """Ask for many at once: one answer a context, in order."""
        return msgspec.json.decode(await self._post(*self._calls.decide_many(contexts, actions)), type=_Many).decisions

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
        """Record a reward, of one slot or of the whole event, and what else was measured; durable when this returns."""
        await self._post(*self._calls.reward(event_id, reward, reward_id, final, slot, metrics))

    async def reward_many(self, rewards: Iterable[tuple[str, float]]) -> None:
        """Record many (event id, reward) at once: all of them, or none and `RequestRefused`."""
        await self._post(*self._calls.reward_many(rewards))

    async def activate(self, event_id: str) -> None:
        """Count a deferred decision."""
        await self._post(*self._calls.activate(event_id))

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _post(self, path: str, body: bytes) -> bytes:
        return _read(await self._http.post(path, content=body))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()
