"""What a decision over several slots consists of: one ordinary decision a slot, its features in the context, what is left on offer.

Serving, the audit, the lake and the online learner all take decisions apart here, so that what was asked of a policy and what it
learns are the same. Nothing here samples or learns.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from rewardloop.actions import parse_actions
from rewardloop.errors import InvalidInput
from rewardloop.events import Activation, Choice, Decision, Record, Reward
from rewardloop.features import Features, parse_context
from rewardloop.ids import slot_event_id

NAMESPACE = "slot"
"""Where a slot's features stand in the context that a policy sees."""


class Shown(NamedTuple):
    """What one slot shows."""

    slot: str
    action: str
    position: int
    """Among the actions on offer, from 0."""
    probability: float
    """Given what the slots above show."""


def shown(decision: Decision) -> list[Shown]:
    """What each slot shows, from the first to the last; of a decision without slots, nothing.

    >>> shown(Decision("e", "offers", "offers.1", 0, b"{}", b'["a","b"]', (0.5, 0.5), 1, 0.5, 1, 0.5,
    ...     slots=(Choice("1", 1, 0.5, (0.5, 0.5)),)))
    [Shown(slot='1', action='b', position=1, probability=0.5)]
    """
    if not decision.slots:
        return []
    shared = parse_actions(decision.actions).ids
    named = [(choice, parse_actions(choice.actions).ids if choice.actions else shared) for choice in decision.slots]
    return [Shown(choice.slot, ids[choice.action], choice.action, choice.probability) for choice, ids in named]


def slot_context(context: bytes, slot: str, features: bytes) -> bytes:
    """The context that a policy is asked with: a slot's id and features join it as `slot`. Both are JSON objects.

    >>> slot_context(b'{"age": 31}', "top", b'{"size": "large"}')
    b'{"age": 31,"slot":{"id":"top","size": "large"}}'
    """
    own = _joined(b'"id":' + msgspec.json.encode(slot), _inside(features))
    return b"{" + _joined(_inside(context), b'"slot":{' + own + b"}") + b"}"


def parse_slot(context: bytes, slot: str, features: bytes, at: str) -> Features:
    """Features of `slot_context`. Raises `InvalidInput` where a feature of the slot is wrong, or named `id`."""
    if "id" in parse_context(features, f"{at}.features"):
        raise InvalidInput("Expected no feature `id` of a slot: its id is one already", at=f"{at}.features.id")
    return parse_context(slot_context(context, slot, features), at)


def check_free(context: Features, at: str) -> None:
    """Raises `InvalidInput` where the context has features that a slot's would be mixed up with."""
    taken = next((name for name in context if name == NAMESPACE or name.startswith((f"{NAMESPACE}.", f"{NAMESPACE}["))), None)
    if taken is not None:
        raise InvalidInput(f"Expected no context feature `{taken}`: the features of slots stand there", at=f"{at}.{taken}")


def left(n_actions: int, *excluded: Sequence[int] | set[int]) -> list[int]:
    """Indices of the actions that no one excludes."""
    gone = set().union(*excluded)
    return [i for i in range(n_actions) if i not in gone]


def taken_above(decision: Decision) -> Iterator[tuple[Choice, set[int]]]:
    """Each slot, with what it could not take: excluded, or taken above where the slots share their actions."""
    taken = set(decision.excluded)
    for choice in decision.slots:
        yield choice, set(choice.excluded) | (set() if choice.actions else taken)
        taken = taken | {choice.action}


def apart(decision: Decision) -> list[Decision]:
    """One ordinary decision a slot: its context, the actions that were left for it, its conditional distribution."""
    parts = []
    for position, (choice, gone) in enumerate(taken_above(decision)):
        offered = parse_actions(choice.actions or decision.actions)
        rows = left(len(offered), gone)
        context = slot_context(decision.context, choice.slot, choice.features) if choice.features else decision.context
        parts.append(
            replace(
                decision,
                event_id=slot_event_id(decision.event_id, choice.slot, position),
                context=context,
                actions=offered.only(rows).raw,
                pmf=tuple([choice.pmf[i] for i in rows]),
                action=rows.index(choice.action),
                probability=choice.probability,
                excluded=(),
                slots=(),
            )
        )
    return parts


def of_slot(record: Reward | Activation, slot: str) -> Reward | Activation:
    """What was told of a whole event, told of one of its slots."""
    event_id = slot_event_id(record.event_id, slot)
    return replace(record, event_id=event_id, slot="") if isinstance(record, Reward) else replace(record, event_id=event_id)


def addressed(record: Record) -> Record:
    """A reward of one slot, addressed to it; any other record as it is."""
    return of_slot(record, record.slot) if isinstance(record, Reward) and record.slot else record


def _inside(document: bytes) -> bytes:
    return document.strip()[1:-1].strip()


def _joined(*members: bytes) -> bytes:
    return b",".join(filter(None, members))
