"""The first events of a policy over actions with features: what is looked at is chosen from them, again and again. No weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final, NamedTuple, Self

import msgspec
import numpy as np
from msgspec import Meta

from rewardloop.actions import ActionSet
from rewardloop.features import Features
from rewardloop.interactions import Floats
from rewardloop.policies.design.joint_terms import screened
from rewardloop.policies.design.terms import Pair, Seen, SeenState, Terms, usual_units

SETTLED: Final = 1_000
"""Events that may still change which products are looked at; kept until then, and in every model."""
_GROWTH: Final = 1.25


class Events(NamedTuple):
    """Contexts with the actions that were chosen, and their rewards."""

    pairs: Sequence[Pair]
    rewards: Floats

    def then(self, other: Events) -> Events:
        return Events([*self.pairs, *other.pairs], np.concatenate([self.rewards, other.rewards]))


class BeginningState(msgspec.Struct, frozen=True):
    events: list[tuple[Features, Features, float]]
    """Context, action and reward."""
    seen: SeenState
    n_fitted: Annotated[int, Meta(ge=0)]


class Beginning:
    """Terms are chosen anew each time a quarter more events are known, for the last time at 1,000."""

    def __init__(self, events: Events, seen: Seen, n_fitted: int) -> None:
        self.events = events
        """All there were."""
        self._seen, self._n_fitted = seen, n_fitted

    @classmethod
    def new(cls) -> Self:
        return cls(Events([], np.empty(0)), Seen(SeenState()), 0)

    @classmethod
    def from_state(cls, state: BeginningState) -> Self:
        rewards = np.array([reward for _, _, reward in state.events], np.float64)
        return cls(Events([(context, action) for context, action, _ in state.events], rewards), Seen(state.seen), state.n_fitted)

    def state(self) -> BeginningState:
        rewards: list[float] = self.events.rewards.tolist()
        events = [(*pair, reward) for pair, reward in zip(self.events.pairs, rewards, strict=True)]
        return BeginningState(events, self._seen.state(), self._n_fitted)

    @property
    def over(self) -> bool:
        return len(self.events.pairs) >= SETTLED

    def add(self, events: Events, offered: Sequence[ActionSet]) -> None:
        """Further events, and what was on offer in each."""
        self.events = self.events.then(events)
        self._seen.look([context for context, _ in events.pairs], offered)

    def choose(self, limit: int) -> Terms | None:
        """The terms by all that is known, where it is time to choose again."""
        if len(self.events.pairs) < min(SETTLED, _GROWTH * self._n_fitted):
            return None
        self._n_fitted = len(self.events.pairs)
        return screened(self._seen, usual_units(self.events.pairs), limit, self.events.pairs, self.events.rewards)
