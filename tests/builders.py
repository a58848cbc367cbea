"""Records for tests: valid by default, each field to be named where the test is about it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from rewardloop.clock import SECOND
from rewardloop.events import Activation, Choice, Decision, Reward
from rewardloop.interactions import Interactions

AT = 1_700_000_000 * SECOND


def decision(event_id: str = "e1", **fields: Any) -> Decision:
    """Three fixed arms, the second chosen."""
    usual = Decision(
        event_id, "offers", "offers.1", AT, b'{"age": 31}', b'["a", "b", "c"]', (0.2, 0.5, 0.3), 1, 0.5, seed=1, sample_prob=0.25
    )
    return msgspec.structs.replace(usual, **fields)


def ranking(event_id: str = "e1", k: int = 2, **fields: Any) -> Decision:
    """The first k of three arms, in their order."""
    pmfs = ((0.2, 0.5, 0.3), (0.0, 0.6, 0.4), (0.0, 0.0, 1.0))
    choices = tuple(Choice(str(i + 1), i, pmfs[i][i], pmfs[i]) for i in range(k))
    return decision(event_id, pmf=pmfs[0], action=0, probability=0.2, slots=choices, **fields)


def reward(event_id: str = "e1", value: float = 1.0, **fields: Any) -> Reward:
    return msgspec.structs.replace(Reward(event_id, "offers", value, AT + 30 * SECOND), **fields)


def activation(event_id: str = "e1", **fields: Any) -> Activation:
    return msgspec.structs.replace(Activation(event_id, "offers", AT + 10 * SECOND), **fields)


def learned_from(batches: Iterable[Interactions], digits: int) -> dict[str, tuple[object, ...]]:
    """By event, of slots by slot: everything but when it closed."""
    return {
        event_id: (
            batch.contexts[i],
            batch.actions[i].ids,
            batch.actions[i].features,
            int(batch.action[i]),
            round(float(batch.probability[i]), digits),
            round(float(batch.reward[i]), digits),
        )
        for batch in batches
        for i, event_id in enumerate(batch.event_ids)
    }
