"""Which events are to be forgotten, and what is left in their place: records without content, under ids that lead nowhere.

The places stay, so that every number, position and account stays what it was. Nothing here reads or writes a file.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b

import msgspec
from msgspec.structs import replace

from rewardloop.events import Activation, Decision, Record, Reward
from rewardloop.features import Features
from rewardloop.ids import part_of, unplaced

ERASED = "erased-"
"""What the id of an event without content begins with."""
NO_ACTIONS = b'["erased"]'
MAX_EVENTS = 1_000_000


class Erasure(msgspec.Struct, frozen=True, kw_only=True):
    """Events by their ids, or all that was recorded up to an instant."""

    salt: str
    """Random, and thrown away with this: nobody can find out which id an erased one had."""
    event_ids: frozenset[str] = frozenset()
    """Of whole events, their slots included."""
    until: int = -1
    """Microseconds UTC."""

    def concerns(self, event_id: str, at: int) -> bool:
        """Whether what has this id, and happened then, is to be forgotten; not again."""
        if event_id.startswith(ERASED):
            return False
        return at <= self.until or part_of(event_id).event_id in self.event_ids

    def new_id(self, event_id: str) -> str:
        """The same for a decision and what was told of it.

        >>> erasure = Erasure(salt="s", event_ids=frozenset(["e1"]))
        >>> erasure.new_id("e1") == erasure.new_id("e1") != erasure.new_id("e2")
        True
        """
        return f"{ERASED}{blake2b(f'{self.salt} {unplaced(event_id)}'.encode(), digest_size=16).hexdigest()}"

    def applied(self, record: Record, at: int) -> Record:
        """The record, which happened at an instant, or what is left of it.

        >>> [Erasure(salt="s", until=7).applied(Reward("e1", "offers", 1.0, at), at).reward for at in (7, 8)]
        [0.0, 1.0]
        """
        return self.erased(record) if self.concerns(record.event_id, at) else record

    def erased(self, record: Record) -> Record:
        """What is left of a record."""
        match record:
            case Decision():
                left = self.decision(record.event_id, record.model_id, record.decided_at, record.variant)
                return replace(left, experiment=record.experiment)
            case Reward():
                return replace(self.reward(record.event_id, record.rewarded_at), experiment=record.experiment)
            case Activation():
                return replace(self.activation(record.event_id, record.activated_at), experiment=record.experiment)

    def decision(self, event_id: str, model_id: str, at: int, variant: str) -> Decision:
        """Deferred, and its activation gone: it is in no data set, however often history is joined anew."""
        new_id = self.new_id(event_id)
        return Decision(new_id, "", model_id, at, b"{}", NO_ACTIONS, (1.0,), 0, 1.0, 0, 0.0, deferred=True, variant=variant)

    def reward(self, event_id: str, at: int) -> Reward:
        return Reward(self.new_id(event_id), "", 0.0, at)

    def activation(self, event_id: str, at: int) -> Activation:
        """Under an id of its own: it activates nothing."""
        return Activation(self.new_id(f"activation of {event_id}"), "", at)


def has(context: Features, wanted: Mapping[str, str]) -> bool:
    """Whether a context has features of these values, given as text.

    >>> has({"user.id": "u7", "age": 31}, {"user.id": "u7", "age": "31"}), has({"age": 31}, {"user.id": "u7"})
    (True, False)
    """
    return all(name in context and _is(context[name], text) for name, text in wanted.items())


def _is(value: str | float, text: str) -> bool:
    if isinstance(value, str):
        return value == text
    try:
        return value == float(text)
    except ValueError:
        return False
