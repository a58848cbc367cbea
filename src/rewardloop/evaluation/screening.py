"""Which logged events can be evaluated on, and why the others cannot. Nothing is dropped without being counted."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rewardloop.errors import InvalidInput
from rewardloop.evaluation.sample import sum_by_event
from rewardloop.interactions import Floats, Interactions

Mask = npt.NDArray[np.bool_]

_ROUNDING = 1e-6


def screen(interactions: Interactions) -> tuple[Mask, dict[str, int]]:
    """(n,) the usable events, and how many were excluded by reason; an event with several faults counts under the first.

    A probability is not repaired and a reward not invented: either would move every estimate without a trace.
    """
    usable = np.ones(len(interactions), dtype=bool)
    excluded: dict[str, int] = {}
    for reason, faulty in _faults(interactions).items():
        if n := int((faulty & usable).sum()):
            excluded[reason] = n
        usable &= ~faulty
    return usable, excluded


def _faults(log: Interactions) -> dict[str, Mask]:
    if len(log) == 0:
        return {}
    offered = (log.action >= 0) & (log.action < np.diff(log.offsets))
    chosen = np.where(offered, log.chosen, log.offsets[:-1])
    unknown = np.isnan(log.pmf[chosen])
    is_pmf = unknown | is_distribution(log.pmf, log)
    agrees = unknown | (np.abs(log.pmf[chosen] - log.probability) <= _ROUNDING)
    return {
        "the chosen action was not offered": ~offered,
        "no probability was logged": np.isnan(log.probability),
        "the logged probability is not in (0, 1]": ~((log.probability > 0) & (log.probability <= 1 + _ROUNDING)),
        "the reward is missing or not finite": ~np.isfinite(log.reward),
        "the logged distribution is negative or does not sum to 1": ~is_pmf,
        "the logged probability differs from the logged distribution": ~agrees,
    }


def is_distribution(pmf: Floats, interactions: Interactions) -> Mask:
    """(n,) whether the numbers of each event are ≥ 0 and sum to 1, within 1e-6. NaN are not."""
    least = np.minimum.reduceat(pmf, interactions.offsets[:-1])
    return (least >= -_ROUNDING) & (np.abs(sum_by_event(pmf, interactions.offsets) - 1) <= _ROUNDING)


def check_policy(name: str, pmf: Floats, interactions: Interactions) -> None:
    """Raises `InvalidInput` unless `pmf` (Σ K_i,) is a distribution over the offered actions of every event."""
    expected = int(interactions.offsets[-1])
    if pmf.shape != (expected,):
        raise InvalidInput(f"Expected {expected} probabilities, one an offered action, got an array of shape {pmf.shape}", at=name)
    if len(interactions) == 0 or (valid := is_distribution(pmf, interactions)).all():
        return
    event = int(np.argmin(valid))
    row = pmf[interactions.offsets[event] : interactions.offsets[event + 1]]
    got = f"a sum of {row.sum():.6g} and a least of {row.min():.6g}"
    raise InvalidInput(f"Expected probabilities ≥ 0 that sum to 1, got {got} for event `{interactions.event_ids[event]}`", at=name)
