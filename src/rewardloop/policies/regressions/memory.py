"""What the sums of a regression remember: everything, a half-life, or what `forgetting` decides. No names, no scaling."""

from __future__ import annotations

from typing import Annotated, Generic, Literal, NamedTuple, Protocol, Self, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Meta

from rewardloop.interactions import Floats, Ints
from rewardloop.policies.regressions.forgetting import Watch, WatchState

_ROWS = 4_096
"""Events learned at once."""
_STEPS = 16
"""Steps in which half of an event's weight is lost: each takes an inversion an arm."""

Forgetting = Literal["auto", "none"] | Annotated[int, Meta(ge=1)]
"""Or a half-life in events."""


class Sums(Protocol):
    """What a regression knows of events, K arms of it."""

    @property
    def n_arms(self) -> int: ...

    def blank(self) -> Self:
        """As many arms and columns, nothing learned."""

    def resized(self, n_arms: int, width: int) -> Self: ...

    def arrays(self) -> dict[str, npt.NDArray[np.generic]]:
        """All of it, by names for a file; writing into them changes it."""

    def expected(self, arms: Ints, X: Floats) -> Floats: ...

    def add_many(self, arms: Ints, X: Floats, rewards: Floats) -> None: ...

    def solve(self, arms: Ints, low: float, span: float) -> None: ...

    def forget(self, share: float) -> None: ...


S = TypeVar("S", bound=Sums)


class Past(NamedTuple, Generic[S]):
    """Sums over all that is remembered, and over the recent past where both are compared."""

    moments: S
    recent: S | None

    @classmethod
    def blank(cls, moments: S, forgetting: Forgetting) -> Past[S]:
        return cls(moments, moments.blank() if forgetting == "auto" else None)


class MemoryState(msgspec.Struct, frozen=True):
    """Everything but the sums."""

    watch: WatchState = WatchState()
    n_since: Annotated[int, Meta(ge=0)] = 0
    """Events since the last step of a half-life."""


class Memory(Generic[S]):
    """The sums, kept as `forgetting` says. θ is in units of [low, low + span] of the rewards, which the caller knows."""

    def __init__(self, past: Past[S], forgetting: Forgetting, state: MemoryState) -> None:
        self.past = past
        self._forgetting = forgetting
        self._watch, self._n_since = Watch(state.watch), state.n_since

    @classmethod
    def new(cls, blank: S, forgetting: Forgetting) -> Self:
        """Of sums that have learned nothing."""
        return cls(Past(blank, blank if forgetting == "auto" else None), forgetting, MemoryState())

    def state(self) -> MemoryState:
        return MemoryState(self._watch.state(), self._n_since)

    @property
    def moments(self) -> S:
        """The sums to decide by."""
        return self.past.moments

    @property
    def n_restarts(self) -> int:
        """How often `auto` forgot the past."""
        return self._watch.n_restarts

    @property
    def n_since_change(self) -> int | None:
        """Events since `auto` found that the world had changed, and a few before; None where it has not."""
        return self._watch.n_since_change

    def resize(self, n_arms: int, width: int) -> None:
        """Room for more arms, or for columns behind the others."""
        whole, recent = self.moments.resized(n_arms, width), self.past.recent
        self.past = Past(whole, whole if recent is self.moments else recent and recent.resized(n_arms, width))

    def solve(self, arms: Ints, low: float, span: float) -> None:
        """θ of the given arms, from the sums as they are."""
        for moments in self._distinct():
            moments.solve(arms, low, span)

    def step(self) -> int:
        """Events to learn at once: a half-life's steps are where they are, however the events come in batches."""
        if not isinstance(self._forgetting, int):
            return _ROWS
        return min(_ROWS, max(1, self._forgetting // _STEPS) - self._n_since)

    def add(self, arms: Ints, X: Floats, rewards: Floats, low: float, span: float) -> None:
        """Learns at most `step` events, forgets what is due, and solves."""
        if self.past.recent is not None:
            unit = (rewards - low) / span if span > 0 else np.full(len(rewards), 0.5)
            whole, recent = (np.square(unit - moments.expected(arms, X)) for moments in (self.moments, self.past.recent))
            self._watch.look(whole - recent)
        for moments in self._distinct():
            moments.add_many(arms, X, rewards)
        self.solve(np.arange(self.moments.n_arms) if self._forget(len(arms)) else arms, low, span)

    def _distinct(self) -> list[S]:
        """The recent past is the whole one until it is begun anew: then it is learned once for both."""
        whole, recent = self.past
        return [whole] if recent is None or recent is whole else [whole, recent]

    def _forget(self, n: int) -> bool:
        """Whether something was forgotten: every θ moves."""
        if isinstance(self._forgetting, int):
            return self._decay(n, self._forgetting)
        if self.past.recent is not None and self._watch.changed:
            self.past = Past(self.past.recent, self.moments.blank())
            self._watch.forget()
        elif self.past.recent is not None and self._watch.stale:
            self.past = Past(self.moments, self.moments.blank())
            self._watch.renew()
        return False

    def _decay(self, n: int, half_life: int) -> bool:
        self._n_since += n
        step = max(1, half_life // _STEPS)
        if self._n_since < step:
            return False
        self._n_since = 0
        self.moments.forget(0.5 ** (step / half_life))
        return True
