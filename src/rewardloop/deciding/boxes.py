"""Decisions over a box: what a model draws, whose turn it is while another is on trial, and what a model would have drawn."""

from __future__ import annotations

import math
from typing import NamedTuple

from rewardloop.actions import Ranges
from rewardloop.cells import Drawn
from rewardloop.deciding.hosted import Hosted
from rewardloop.deciding.trials import CHAMPION, Answered, Likeness, Scorer
from rewardloop.errors import Conflict, InvalidInput
from rewardloop.features import Features
from rewardloop.interactions import Interactions
from rewardloop.policies.continuous import ContinuousPolicy, Spread, density, draw
from rewardloop.policies.contract import Policy
from rewardloop.policies.spreads import Spreads

NEAR = 0.01
"""Of the range: so near to each other two models do the same in every direction."""


class Point(NamedTuple):
    """What a model says to one request: what it drew, and from what."""

    drawn: Drawn
    spread: Spread
    floor: float


class Wanted(NamedTuple):
    """What is asked of a model."""

    event_id: str
    context: Features
    ranges: Ranges
    explore: bool
    seed: int
    sticky: str = ""
    """What the request asks the variant to follow."""


def draw_point(hosted: Hosted, wanted: Wanted) -> Answered[Drawn]:
    """What the model whose turn it is draws; raises `Conflict` where the hosted one only knows arms."""
    if hosted.trial is None:
        return Answered(hosted.model_id, CHAMPION, draw_again(hosted, wanted))

    def ask(model: Scorer) -> Point:
        return _point(model, wanted)

    def compare(served: Point, other: Point) -> Likeness:
        return _likeness(served, other, wanted.ranges)

    key = hosted.trial.key(wanted.context, wanted.event_id, wanted.sticky)
    model_id, variant, point = hosted.trial.tried(hosted.scorer, key, ask, compare)
    return Answered(model_id, variant, point.drawn)


def draw_again(model: Hosted, wanted: Wanted) -> Drawn:
    """What a model by itself draws; equals what was logged of its decisions."""
    return _point(model.scorer, wanted).drawn


def _point(model: Scorer, wanted: Wanted) -> Point:
    spread = _spread(model.model_id, model.policy, wanted.context, wanted.ranges)
    return Point(draw(spread, wanted.ranges, floor=model.floor, explore=wanted.explore, seed=wanted.seed), spread, model.floor)


def spreads(model_id: str, policy: Policy, ranges: Ranges, floor: float, log: Interactions) -> Spreads:
    """What a model would have drawn from at logged events; where a context lacks a reading, nothing."""
    return Spreads.of([_said(model_id, policy, context, ranges) for context in log.contexts], ranges, floor)


def _said(model_id: str, policy: Policy, context: Features, ranges: Ranges) -> Spread | None:
    try:
        return _spread(model_id, policy, context, ranges)
    except InvalidInput:
        return None


def _spread(model_id: str, policy: Policy, context: Features, ranges: Ranges) -> Spread:
    if not isinstance(policy, ContinuousPolicy):
        raise Conflict(f"Model `{model_id}` chooses among arms, and these actions are continuous: deploy another")
    return policy.spread(context, ranges)


def _likeness(served: Point, other: Point, ranges: Ranges) -> Likeness:
    """max(0, 1 - q(x)/p(x)) at x drawn from p is on average the total variation of p and q: one draw a decision is enough."""
    one, two = (draw(point.spread, ranges, floor=0.0, explore=False, seed=0).values for point in (served, other))
    near = all(abs(a - b) <= NEAR * (high - low) for a, b, low, high in zip(one, two, ranges.low, ranges.high, strict=True))
    if math.isinf(served.drawn.density):
        return Likeness(float(not near), near)
    q = density(other.spread, ranges, served.drawn.values, floor=other.floor)
    return Likeness(max(0.0, 1.0 - q / served.drawn.density), near)
