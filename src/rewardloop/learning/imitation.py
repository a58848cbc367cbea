"""Learning from decisions that the baseline made: to imitate it (`apprentice`), or not at all (`logging_only`).

Which of the two was in force is in each decision's variant, so a change of mode changes nothing about what was decided before it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rewardloop.events import APPRENTICE, LOGGING_ONLY
from rewardloop.ids import draws, uniform
from rewardloop.interactions import Floats, Interactions
from rewardloop.policies.exploration import sample

_MATCHING = 0.5
"""Share of the imitated decisions that show the baseline's own action; the others show what it did not do."""


def taught(log: Interactions, reward_range: tuple[float, float] | None) -> Interactions:
    """What is to be learned from a batch: models' decisions as they are, an apprentice's as lessons, and nothing of logging only.

    A lesson is an imagined decision that takes the baseline's action with probability 1/2 and any other alike, and earns 1 where it
    matches, otherwise 0 (the ends of the reward's range, where it is declared). Each is a function of the event's id alone.
    """
    kinds = _kinds(log)
    if not np.isin(kinds, [APPRENTICE, LOGGING_ONLY]).any():
        return log
    kept = kinds != LOGGING_ONLY
    return _imitating(log.take(kept), kinds[kept] == APPRENTICE, reward_range or (0.0, 1.0))


def decided_by_models(log: Interactions) -> Interactions:
    """Without the baseline's decisions: those give no other action a chance, so nothing can be estimated from them."""
    kinds = _kinds(log)
    by_baseline = np.isin(kinds, [APPRENTICE, LOGGING_ONLY])
    return log.take(~by_baseline) if by_baseline.any() else log


def _imitating(log: Interactions, lessons: npt.NDArray[np.bool_], reward_range: tuple[float, float]) -> Interactions:
    low, high = reward_range
    action, reward, probability, pmf = log.action.copy(), log.reward.copy(), log.probability.copy(), log.pmf.copy()
    for i in np.flatnonzero(lessons).tolist():
        start, end = log.offsets[i : i + 2]
        imagined = _imagined(int(log.action[i]), int(end - start))
        pmf[start:end] = imagined
        action[i] = sample(imagined.tolist(), uniform(draws(APPRENTICE, log.event_ids[i]).seed))
        probability[i] = imagined[action[i]]
        reward[i] = high if action[i] == log.action[i] else low
    return Interactions(
        log.event_ids,
        log.contexts,
        log.actions,
        action,
        probability,
        reward,
        pmf,
        log.offsets,
        log.sample_prob,
        log.closed_at,
        log.variant,
        log.metrics,
    )


def _imagined(baseline: int, n: int) -> Floats:
    if n == 1:
        return np.ones(1)
    pmf = np.full(n, (1 - _MATCHING) / (n - 1))
    pmf[baseline] = _MATCHING
    return pmf


def _kinds(log: Interactions) -> npt.NDArray[np.str_]:
    return np.array([variant.partition(":")[0] for variant in log.variant], dtype=np.str_)
