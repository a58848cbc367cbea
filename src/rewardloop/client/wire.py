"""What is sent and what comes back: the wire format, once for both clients. Sends nothing."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple, TypeVar
from urllib.parse import quote

import httpx2
import msgspec

from rewardloop.errors import InvalidInput, RewardloopError

NOTHING: Mapping[str, float] = MappingProxyType({})

Context = Mapping[str, object]
Actions = Sequence[object] | Mapping[str, float] | None
Slots = Sequence[Mapping[str, object]]
Default = str | Sequence[str] | None
"""What to show where no answer came in time; of a ranking or of slots, one for each."""
T = TypeVar("T")


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
    by_default: bool = False
    """No answer came in time: the action is the caller's own default, its index -1 and its probability 0, as none was drawn."""


class Post(NamedTuple):
    """One request."""

    path: str
    body: bytes


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
class Calls:
    """What each method posts where. Ids are made here, so that whatever is sent twice counts once."""

    experiment: str
    entropy: Callable[[int], bytes]

    def new_id(self) -> str:
        return str(uuid.UUID(bytes=self.entropy(16), version=4))

    def decide(  # noqa: PLR0917 - the fields of the body
        self,
        context: Context,
        actions: Actions,
        event_id: str,
        top_k: int | None,
        slots: Slots,
        explore: bool,
        deferred: bool,
        sticky: str | None,
    ) -> Post:
        body: dict[str, object] = {"context": context, "event_id": event_id}
        if top_k is not None:
            body["top_k"] = top_k
        if slots:
            body["slots"] = slots
        if actions is not None:
            body["actions"] = actions
        if not explore:
            body["explore"] = False
        if deferred:
            body["deferred"] = True
        if sticky is not None:
            body["sticky"] = sticky
        return Post(f"/v1/experiments/{quote(self.experiment, safe='')}/decide", msgspec.json.encode(body))

    def decide_many(self, contexts: Iterable[Context], actions: Actions) -> Post:
        body: dict[str, object] = {"requests": [{"context": context, "event_id": self.new_id()} for context in contexts]}
        if actions is not None:
            body["actions"] = actions
        return Post(f"/v1/experiments/{quote(self.experiment, safe='')}/decide/batch", msgspec.json.encode(body))

    def reward(  # noqa: PLR0917 - the fields of the body
        self, event_id: str, reward: float, reward_id: str, final: bool, slot: str, metrics: Mapping[str, float]
    ) -> Post:
        told = {"event_id": event_id, "reward": reward, "reward_id": reward_id or self.new_id(), "final": final, "slot": slot}
        body = {**told, "experiment": self.experiment} | ({"metrics": dict(metrics)} if metrics else {})
        return Post("/v1/rewards", msgspec.json.encode(body))

    def rewards(self, rewards: Iterable[tuple[str, float]]) -> list[Post]:
        """One request each, for a queue."""
        return [self.reward(event_id, reward, "", False, "", NOTHING) for event_id, reward in rewards]

    def activate(self, event_id: str) -> Post:
        body = msgspec.json.encode({"experiment": self.experiment})
        return Post(f"/v1/events/{quote(event_id, safe='')}/activate", body)


def together(rewards: Sequence[Post]) -> Post:
    """Several rewards as one request: all of them or none."""
    return Post("/v1/rewards", b'{"rewards":[%b]}' % b",".join(each.body for each in rewards))


def read_decided(content: bytes) -> Decided:
    return msgspec.json.decode(content, type=Decided)


def read_many(content: bytes) -> list[Decided]:
    return msgspec.json.decode(content, type=_Many).decisions


def read(response: httpx2.Response) -> bytes:
    """The body of a success. Raises `RequestRefused`."""
    if response.is_success:
        return response.content
    try:
        detail = msgspec.json.decode(response.content, type=_Problem).detail
    except msgspec.DecodeError:
        detail = f"Expected a problem document with the {response.status_code}, got {response.text[:200]!r}"
    raise RequestRefused(response.status_code, detail)


def by_default(event_id: str, default: Default, slots: Slots) -> Decided:
    """The answer that the caller brought along.

    >>> by_default("e", "red", ()).action, [each.slot for each in by_default("e", ["a", "b"], ()).slots]
    ('red', ['1', '2'])
    """
    shown = [default] if isinstance(default, str) else list(default or ())
    if not shown:
        raise InvalidInput("Expected one action or more as a default, got none")
    names = [str(slot.get("id", i + 1)) for i, slot in enumerate(slots)] or [str(i + 1) for i in range(len(shown))]
    several = () if isinstance(default, str) else tuple(DecidedSlot(*pair, -1, 0.0) for pair in zip(names, shown, strict=False))
    return Decided(event_id, shown[0], -1, 0.0, "", several, by_default=True)
