"""Which logged events over a box can be evaluated on, and why the others cannot."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rewardloop.actions import Ranges
from rewardloop.interactions import Interactions

Mask = npt.NDArray[np.bool_]

_ROUNDING = 1e-6
UNREAD = "a policy needs a reading that the context lacks"


def screen_box(log: Interactions, ranges: Ranges) -> tuple[Mask, dict[str, int]]:
    """(n,) the usable events, and how many were left out by reason; one with several faults counts under the first."""
    usable = np.ones(len(log), dtype=bool)
    excluded: dict[str, int] = {}
    for reason, faulty in _faults(log, ranges).items():
        if n := int((faulty & usable).sum()):
            excluded[reason] = n
        usable &= ~faulty
    return usable, excluded


def _faults(log: Interactions, ranges: Ranges) -> dict[str, Mask]:
    if log.box is None or log.box.values.shape[1] != len(ranges.low):
        return {"no values or density were logged": np.ones(len(log), dtype=bool)}
    values, density = log.box.values, log.box.density
    slack = _ROUNDING * np.subtract(ranges.high, ranges.low)
    inside = np.logical_and(values >= ranges.low - slack, values <= ranges.high + slack)
    return {
        "no values or density were logged": np.isnan(density) | np.isnan(values).any(axis=1),
        "the values were not drawn (`explore: false`)": np.isinf(density),
        "the logged density is not above 0": np.asarray(~(density > 0)),
        "the logged values lie outside the range": np.asarray(~inside.all(axis=1)),
        "the reward is missing or not finite": ~np.isfinite(log.reward),
    }
