"""Filling slots: from the first to the last, each by an ordinary decision over what is left. Used to decide and to replay.

A ranking has positions `1`, `2`, … that share the event's actions and have no features; slots (Vowpal Wabbit's CCB) share them
and have features; the slots of a slate bring actions of their own, and nothing above takes any of these away.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rewardloop.actions import ActionSet, parse_actions
from rewardloop.deciding.baseline import Baseline
from rewardloop.events import Choice, Decision
from rewardloop.features import Features, parse_context
from rewardloop.ids import slot_seed, uniform
from rewardloop.policies.contract import Policy
from rewardloop.policies.exploration import sample, serve_pmf
from rewardloop.policies.exposure import Exposure, Limits
from rewardloop.settings import Draws
from rewardloop.slots import left, parse_slot


class Slot(NamedTuple):
    """One slot, understood."""

    id: str
    actions: ActionSet
    excluded: tuple[int, ...]
    """By the event or by the slot."""
    context: Features
    features: bytes = b""
    own: bool = False
    """Whether the actions are of this slot alone."""
    excluded_here: tuple[int, ...] = ()
    """By the slot, to be logged with it."""
    baseline: str = ""
    """What it shows while the baseline decides."""


class Rule(NamedTuple):
    """How a model serves: see `serve_pmf`, and the setting `ranking.draws`."""

    floor: float
    draws: Draws
    explore: bool
    baseline: Baseline | None = None
    """Decides instead of the policy."""
    exposure: Exposure | None = None
    at: int = 0
    """Microseconds UTC."""

    def limits(self, actions: ActionSet) -> Limits | None:
        return self.exposure and self.exposure.limits(actions.ids, self.at)


def fill(policy: Policy, rule: Rule, seed: int, slots: Sequence[Slot]) -> tuple[Choice, ...]:
    """Each slot's choice. P(all) is the product of their probabilities, the numbers that they are sampled with."""
    taken: set[int] = set()
    choices: list[Choice] = []
    once = _once(policy, rule, slots)
    for position, slot in enumerate(slots):
        rows = left(len(slot.actions), slot.excluded, () if slot.own else taken)
        some = once.rest(rows) if once else _ask(policy, rule, slot, rows)
        pmf = [0.0] * len(slot.actions)
        for row, probability in zip(rows, some, strict=True):
            pmf[row] = probability
        action = sample(pmf, uniform(slot_seed(seed, position)))
        raw = slot.actions.raw if slot.own else b""
        choices.append(Choice(slot.id, action, pmf[action], tuple(pmf), slot.features, slot.excluded_here, raw, slot.baseline))
        taken.add(action)
    return tuple(choices)


def refill(decision: Decision, policy: Policy, rule: Rule) -> tuple[Choice, ...]:
    """What the decision's model answers to the logged slots; equals what was logged."""
    shared, plain = parse_actions(decision.actions), parse_context(decision.context)
    slots = []
    for choice in decision.slots:
        context = parse_slot(decision.context, choice.slot, choice.features, "$") if choice.features else plain
        actions = parse_actions(choice.actions) if choice.actions else shared
        gone = tuple(sorted({*(() if choice.actions else decision.excluded), *choice.excluded}))
        own = bool(choice.actions)
        slots.append(Slot(choice.slot, actions, gone, context, choice.features, own, choice.excluded, choice.baseline))
    return fill(policy, rule, decision.seed, slots)


class _Once(NamedTuple):
    """One distribution for all positions of a ranking (Plackett-Luce): each draws from what is left of it."""

    pmf: list[float]

    def rest(self, rows: Sequence[int]) -> list[float]:
        """The part of it that is left, renormalised: not below floor / K."""
        return serve_pmf([self.pmf[i] for i in rows], floor=0.0)


def _once(policy: Policy, rule: Rule, slots: Sequence[Slot]) -> _Once | None:
    first = slots[0]
    if rule.draws != "once" or not rule.explore or rule.baseline or first.features:
        return None
    raw, limits = policy.pmf(first.context, first.actions), rule.limits(first.actions)
    return _Once(serve_pmf(raw, floor=rule.floor, excluded=first.excluded, limits=limits))


def _ask(policy: Policy, rule: Rule, slot: Slot, rows: Sequence[int]) -> list[float]:
    offered = slot.actions.only(rows)
    if rule.baseline is not None:
        here = rule.baseline._replace(name=slot.baseline) if slot.baseline else rule.baseline
        return list(here.pmf(offered, ()))
    return serve_pmf(policy.pmf(slot.context, offered), floor=rule.floor, explore=rule.explore, limits=rule.limits(offered))
