"""Replaying a logged decision: the same model, context and seed must give the same pmf, action and probability, to the bit."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from rewardloop.clock import isoformat
from rewardloop.events import Activation, Decision, Record, Reward
from rewardloop.loop.deciding import Answer, Hosted, replay


class Audit(msgspec.Struct, frozen=True, kw_only=True):
    """What is known about one event, and whether its decision can be reproduced."""

    event_id: str
    experiment: str
    model_id: str
    decided_at: str
    context: msgspec.Raw
    actions: msgspec.Raw
    seed: int
    logged: Answer
    replayed: Answer
    same: bool
    rewards: tuple[Reward, ...]
    activations: tuple[Activation, ...]


def audit(records: Sequence[Record], decision: Decision, model: Hosted) -> Audit:
    """Compare what was logged of an event with a replay through the code that served it."""
    logged = Answer(decision.pmf, decision.action, decision.probability)
    replayed = replay(decision, model.policy, model.floor)
    return Audit(
        event_id=decision.event_id,
        experiment=decision.experiment,
        model_id=decision.model_id,
        decided_at=isoformat(decision.decided_at),
        context=msgspec.Raw(decision.context),
        actions=msgspec.Raw(decision.actions),
        seed=decision.seed,
        logged=logged,
        replayed=replayed,
        same=logged == replayed,
        rewards=tuple(record for record in records if isinstance(record, Reward)),
        activations=tuple(record for record in records if isinstance(record, Activation)),
    )
