"""Replaying a logged decision: the same model, context and seed must give the same pmf, action and probability, to the bit."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from rewardloop.clock import isoformat
from rewardloop.deciding.hosted import Hosted
from rewardloop.deciding.replaying import Answer, replay, replay_slots, replay_values
from rewardloop.deciding.trials import sticky_key, variant_draw
from rewardloop.events import Activation, Choice, Decision, Record, Reward
from rewardloop.features import parse_context
from rewardloop.policies.plackett_luce import position_marginals
from rewardloop.registry.records import RolloutStep


class Audit(msgspec.Struct, frozen=True, kw_only=True):
    """What is known about one event, and whether its decision can be reproduced."""

    event_id: str
    experiment: str
    model_id: str
    decided_at: str
    context: msgspec.Raw
    actions: msgspec.Raw
    seed: int
    joint_probability: float
    """P(everything that was chosen)."""
    logged: Answer
    replayed: Answer
    same: bool
    rewards: tuple[Reward, ...]
    activations: tuple[Activation, ...]
    slots: tuple[Choice, ...] = ()
    """Where several slots were filled: each as it was logged. `logged` and `replayed` are then those of the first."""
    replayed_slots: tuple[Choice, ...] = ()
    marginals: tuple[tuple[float, ...], ...] = ()
    """P(an action stands at a position), a row a position; where the positions were drawn from one distribution (`once`)."""
    values: tuple[float, ...] = ()
    """Where the action is continuous: as it was logged."""
    replayed_values: tuple[float, ...] = ()
    variant: str = "champion"
    """Who decided."""
    sticky: str = ""
    """What the client asked the variant to follow."""
    turn: Turn | None = None
    """Where a challenger was on trial: whose turn it was, drawn again."""
    density: float | None = None
    """What the values were drawn with; None where they were not."""


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """The draw of the variant: the challenger decides where it is below its share."""

    challenger: str
    share: float
    """In force when the decision was made; a worker may take a fifth of a second to see a new one."""
    key: str
    """What was drawn for: `sticky=…` of the request, the sticky feature and its value, or the event's id."""
    draw: float


def turn_of(decision: Decision, steps: Sequence[RolloutStep]) -> Turn | None:
    """The draw made again, from the trial that was under way; `steps` are the experiment's, oldest first."""
    step = next((step for step in reversed(steps) if step.at <= decision.decided_at), None)
    if step is None or not step.is_open:
        return None
    key = sticky_key(parse_context(decision.context), step.sticky, decision.event_id, decision.sticky)
    return Turn(
        challenger=step.challenger,
        share=step.share,
        key=key,
        draw=variant_draw(decision.experiment, step.challenger, key),
    )


def audit(records: Sequence[Record], decision: Decision, model: Hosted, steps: Sequence[RolloutStep] = ()) -> Audit:
    """Compare what was logged of an event with a replay through the code that served it; `steps` as in `turn_of`."""
    logged = Answer(decision.pmf, decision.action, decision.probability)
    slots = replay_slots(decision, model)
    first = Answer(slots[0].pmf, slots[0].action, slots[0].probability) if slots else None
    replayed = first or replay(decision, model.policy, model.floor, model.exposure)
    drawn = replay_values(decision, model)
    return Audit(
        event_id=decision.event_id,
        experiment=decision.experiment,
        model_id=decision.model_id,
        decided_at=isoformat(decision.decided_at),
        context=msgspec.Raw(decision.context),
        actions=msgspec.Raw(decision.actions),
        seed=decision.seed,
        joint_probability=decision.joint_probability,
        logged=logged,
        replayed=replayed,
        same=logged == replayed and slots == decision.slots and drawn == (decision.values, decision.density),
        rewards=tuple(record for record in records if isinstance(record, Reward)),
        activations=tuple(record for record in records if isinstance(record, Activation)),
        slots=decision.slots,
        replayed_slots=slots,
        marginals=_marginals(decision, model),
        values=decision.values,
        replayed_values=drawn.values,
        variant=decision.variant,
        sticky=decision.sticky,
        turn=turn_of(decision, steps),
        density=decision.density if decision.values and math.isfinite(decision.density) else None,
    )


def _marginals(decision: Decision, model: Hosted) -> tuple[tuple[float, ...], ...]:
    ranked = bool(decision.slots) and not decision.slots[0].features
    if not ranked or model.draws != "once" or not decision.explore:
        return ()
    return tuple(map(tuple, position_marginals(decision.pmf, len(decision.slots)).tolist()))
