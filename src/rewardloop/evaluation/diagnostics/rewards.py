"""Are the rewards of the kind that was declared, and do they differ at all?"""

from __future__ import annotations

import numpy as np

from rewardloop.evaluation.diagnostics.finding import Finding
from rewardloop.interactions import Interactions
from rewardloop.lake.observed import Observed

_FEW = 50
_WILD = 30.0
"""Standard deviations from the mean."""


def reward_values(log: Observed, usable: Interactions) -> Finding:
    """Outside the declared range, constant, or with an outlier that owns the mean."""
    if not len(usable):
        return Finding("reward_values", "note", "No usable event.")
    reward = usable.reward
    low, high, mean, sd = float(reward.min()), float(reward.max()), float(reward.mean()), float(reward.std())
    kinds = len(np.unique(reward[:10_000]))
    numbers = {"lowest": low, "highest": high, "mean": mean, "sd": sd, "binary": float(kinds == 2)}
    if log.reward_range is not None and (low < log.reward_range[0] or high > log.reward_range[1]):
        return _outside(log.reward_range, usable, numbers)
    if low == high:
        return Finding(
            "reward_values",
            "error" if len(usable) >= _FEW else "warning",
            f"Every reward is {low:g}.",
            numbers,
            "There is nothing to learn: all policies earn the same on this log.",
            "Check that rewards are sent, for successes and with the right `event_id`; without one, `reward.default` counts.",
        )
    wild = max(high - mean, mean - low) / sd
    if wild > _WILD and kinds > 2:
        row = int(np.argmax(np.abs(reward - mean)))
        return Finding(
            "reward_values",
            "warning",
            f"The reward {reward[row]:g} of `{usable.event_ids[row]}` is {wild:.0f} standard deviations from the mean {mean:.3g}.",
            {**numbers, "deviations": wild},
            "A few events decide every mean and every model.",
            "Declare `reward.range`, so that such a reward is refused, or reward a bounded quantity.",
        )
    kind = "0 or 1" if kinds == 2 and (low, high) == (0.0, 1.0) else f"{low:g} to {high:g}"
    return Finding("reward_values", "ok", f"Rewards are {kind}, {mean:.4g} on average.", numbers)


def _outside(declared: tuple[float, float], usable: Interactions, numbers: dict[str, float]) -> Finding:
    outside = (usable.reward < declared[0]) | (usable.reward > declared[1])
    n, first = int(outside.sum()), usable.event_ids[int(outside.argmax())]
    return Finding(
        "reward_values",
        "error" if n > 0.01 * len(usable) else "warning",
        f"{n:,} rewards are outside the declared [{declared[0]:g}, {declared[1]:g}] (first: `{first}`).",
        {**numbers, "outside": float(n)},
        "Models scale rewards by the declared range, and intervals that rely on it do not cover.",
        "Correct `reward.range`, or what sends these rewards; `reward.default` counts too.",
    )
