"""A logged decision made again as it was made, for the audit and for golden requests: it equals what was logged to the bit."""

from __future__ import annotations

from typing import NamedTuple

from rewardloop.actions import parse_actions
from rewardloop.cells import Drawn
from rewardloop.deciding.baseline import Baseline
from rewardloop.deciding.boxes import Wanted, draw_again
from rewardloop.deciding.filling import Rule, refill
from rewardloop.deciding.hosted import Hosted
from rewardloop.events import Choice, Decision
from rewardloop.features import parse_context
from rewardloop.ids import uniform
from rewardloop.policies.continuous import draw_in
from rewardloop.policies.contract import Policy
from rewardloop.policies.exploration import sample, serve_pmf
from rewardloop.policies.exposure import Exposure


class Answer(NamedTuple):
    """The served distribution, the index sampled from it, and the probability of that index."""

    pmf: tuple[float, ...]
    action: int
    probability: float


def replay_slots(decision: Decision, model: Hosted) -> tuple[Choice, ...]:
    """`replay` of each slot, where there are several."""
    if not decision.slots:
        return ()
    baseline = Baseline.of_variant(decision.variant)
    rule = Rule(model.floor, model.draws, decision.explore, baseline, model.exposure, decision.decided_at)
    return refill(decision, model.policy, rule)


def replay(decision: Decision, policy: Policy, floor: float, exposure: Exposure | None = None) -> Answer:
    """What the decision's model answers to the logged context, actions and seed; equals what was logged. Not for slots."""
    actions, baseline = parse_actions(decision.actions), Baseline.of_variant(decision.variant)
    if baseline is not None:
        pmf = baseline.pmf(actions, decision.excluded)
    else:
        raw = policy.pmf(parse_context(decision.context), actions)
        limits = exposure and exposure.limits(actions.ids, decision.decided_at)
        pmf = tuple(serve_pmf(raw, floor=floor, excluded=decision.excluded, explore=decision.explore, limits=limits))
    action = sample(pmf, uniform(decision.seed))
    return Answer(pmf, action, pmf[action])


def replay_values(decision: Decision, model: Hosted) -> Drawn:
    """`replay` of the values, where the actions are continuous; nothing where they are not."""
    if not decision.values:
        return Drawn((), decision.density)
    actions = parse_actions(decision.actions)
    if actions.cells is not None:
        return draw_in(actions.cells, decision.action, decision.probability, explore=decision.explore, seed=decision.seed)
    assert actions.ranges is not None
    context = parse_context(decision.context)
    return draw_again(model, Wanted(decision.event_id, context, actions.ranges, decision.explore, decision.seed))
