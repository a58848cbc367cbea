"""What is known against a challenger: the tests of `randomised.harm`, fed from what serving counted and the lake joined.

Three tests share the level, so that a harmless challenger is rolled back by any of them in at most 1 − level of trials.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from itertools import repeat

import msgspec
import numpy as np

from rewardloop.deciding.trial_counts import Moments, TrialCounts
from rewardloop.deciding.trials import CHALLENGER, FALLBACK, sticky_key
from rewardloop.evaluation import judge
from rewardloop.evaluation.randomised.harm import Check, Mask, Randomised, error_check, estimate_check, latency_check, reward_check
from rewardloop.evaluation.randomised.two_sample import ABTest, ab_test
from rewardloop.features import parse_context
from rewardloop.ids import decisions_of
from rewardloop.interactions import Floats, Ints
from rewardloop.lake import DataSet, Followed
from rewardloop.loop.judging import HELD_AT_ONCE, OFFERED_AT_ONCE, kept_if_small, seen_by
from rewardloop.loop.modelling import Modelling
from rewardloop.registry.records import RolloutStep
from rewardloop.settings import ExperimentSettings

SETTLING = 200_000
"""Microseconds after a step in which some worker may not have seen it yet: their decisions are left out, whatever they earned."""

NARROWEST = 500
"""Of the challenger's decisions: the sequence of rewards is narrowest there at the latest, so that great harm is found early."""


def served_checks(settings: ExperimentSettings, counts: TrialCounts) -> list[Check]:
    """Errors and latency, from what serving counted."""
    rollout, level = settings.rollout, _level(settings)
    errors = error_check(counts.errors, counts.challenger.n, level, rollout.error_rate, counts.error)
    champion, challenger = _moments(counts.champion), _moments(counts.challenger)
    return [errors, latency_check(champion, challenger, level, float(rollout.latency))]


def randomised(steps: Sequence[RolloutStep], seen: Followed) -> Randomised:
    """The decisions of a trial whose variant was drawn, in order."""
    challenged, share = _turn(seen), _shares(steps, seen.decided_at)
    kept = settled(steps, seen.decided_at) & (share > 0) & _of_trial(steps[0], seen)
    key = _keys(seen, steps[-1].sticky)
    return Randomised(seen.reward[kept], challenged[kept], share[kept], None if key is None else key[kept])


def compared(settings: ExperimentSettings, steps: Sequence[RolloutStep], seen: Followed) -> ABTest:
    """How an A/B test stands: the whole level is its own."""
    step = steps[-1]
    target = round(settings.rollout.min_events / min(step.share, 1 - step.share))
    return ab_test(step.champion, step.challenger, randomised(steps, seen), step.share, settings.rollout.level, target)


def decided_check(test: ABTest) -> Check:
    """An A/B test that A has won is over. One between twins goes on: nobody can win it."""
    found = test.difference
    number, lower, upper = (found.value, found.lower, found.upper) if found else (math.nan, math.nan, math.nan)
    lost = test.winner == "a" and test.a != test.b
    return Check(name="reward", harmed=lost, number=number, lower=lower, upper=upper, limit=0.0, n=test.n_b, sentence=test.summary)


def randomised_check(settings: ExperimentSettings, steps: Sequence[RolloutStep], seen: Followed) -> Check:
    """Reward, where the challenger serves: by the draw of each decision."""
    drawn = randomised(steps, seen)
    first = next(step.share for step in steps if step.share)
    target = round(min(settings.rollout.min_events, NARROWEST) / first)
    return reward_check(drawn, _level(settings), target, settings.rollout.tolerance * _span(settings, seen.reward))


def held_back_check(settings: ExperimentSettings, steps: Sequence[RolloutStep], seen: Followed) -> Check:
    """After a promotion: does the model before, which is the challenger here, earn more than what replaced it?"""
    drawn = randomised(steps, seen)
    turned = drawn._replace(challenged=~drawn.challenged, share=1 - drawn.share)
    target = round(min(settings.rollout.min_events, NARROWEST) / steps[-1].share)
    return reward_check(turned, settings.rollout.level, target, settings.rollout.tolerance * _span(settings, seen.reward))


def shadow_check(modelling: Modelling, step: RolloutStep, data: DataSet) -> Check:
    """Reward, where it only scores: an off-policy estimate on the events since, which it has not been trained on."""
    settings = modelling.settings
    events = partial(data.interactions, after=step.trial, newest=settings.gate.max_events, offers=OFFERED_AT_ONCE)
    models = {
        name: (model_id, modelling.load(model_id)) for name, model_id in (("candidate", step.challenger), ("hosted", step.champion))
    }
    seen = seen_by(settings, models, kept_if_small(partial(events, batch=HELD_AT_ONCE)), data.wholes)
    gate = msgspec.structs.replace(settings.gate, rule="no_harm", interval="sequence", level=_level(settings))
    difference = judge(seen, gate, settings.reward.range).difference if len(seen) > 1 else None
    return estimate_check(difference, settings.rollout.tolerance * _span(settings, seen.reward))


def n_closed(step: RolloutStep, seen: Followed) -> int:
    """Decisions of this step that have closed: the challenger's own, or all where it only scores."""
    since = seen.decided_at > step.at
    counted = since & _turn(seen) if step.share else since
    wholes = decisions_of(seen.event_id)
    return int(counted.sum()) if wholes is None else len({wholes[i] for i in np.flatnonzero(counted).tolist()})


def settled(steps: Sequence[RolloutStep], decided_at: Ints) -> Mask:
    """(n,) False for decisions made while a step was spreading to the workers."""
    kept = np.ones(len(decided_at), bool)
    for step in steps:
        kept &= (decided_at < step.at) | (decided_at > step.at + SETTLING)
    return kept


def _level(settings: ExperimentSettings) -> float:
    return 1 - (1 - settings.rollout.level) / 3


def _moments(moments: Moments) -> tuple[float, float, float]:
    return moments.n, moments.total, moments.squares


def _turn(seen: Followed) -> Mask:
    """A challenger that failed had its turn: leaving those decisions out would choose by their context."""
    return np.isin(seen.variant, [CHALLENGER, FALLBACK])


def _of_trial(step: RolloutStep, seen: Followed) -> Mask:
    return np.isin(seen.model_id, [step.champion, step.challenger])


def _shares(steps: Sequence[RolloutStep], decided_at: Ints) -> Floats:
    """(n,) the share in force when each decision was made."""
    begun = np.array([step.at for step in steps])
    return np.array([0.0, *(step.share for step in steps)])[np.searchsorted(begun, decided_at, "right")]


def _keys(seen: Followed, feature: str) -> Ints | None:
    """(n,) what the variant followed, as numbers; by default the decision, to which its slots belong. None: each event its own."""
    wholes = decisions_of(seen.event_id)
    if not feature and not any(seen.sticky) and wholes is None:
        return None
    contexts = map(parse_context, seen.context) if feature else repeat({}, len(seen))
    events = wholes or (seen.event_id if feature else map(str, range(len(seen))))
    words = [sticky_key(*each) for each in zip(contexts, repeat(feature, len(seen)), events, seen.sticky, strict=True)]
    return np.unique(words, return_inverse=True)[1].astype(np.int64)


def _span(settings: ExperimentSettings, reward: Floats) -> float:
    if settings.reward.range is not None:
        return settings.reward.range[1] - settings.reward.range[0]
    return float(np.ptp(reward)) if len(reward) else 0.0
