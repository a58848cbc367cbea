"""`explorationPercentage` and the policy's `--epsilon`: to the service one number, the share of decisions that are drawn at random.

Here an `egreedy` policy has a floor, and an epsilon that explores what the floor leaves. Pure.
"""

from __future__ import annotations

from msgspec.structs import replace

from rewardloop.settings import ExperimentSettings, PolicySettings

_NOTHING = 1e-6
"""Shares were written as 32-bit numbers."""


def share(settings: ExperimentSettings) -> float:
    """What `explorationPercentage` is: 1 - (1 - floor)(1 - epsilon) of `egreedy`, of another policy the floor.

    >>> share(ExperimentSettings(experiment="shop", policy=PolicySettings(exploration="egreedy", floor=0.02, epsilon=0.1)))
    0.118
    """
    policy = settings.policy
    return round(1 - (1 - policy.floor) * (1 - policy.epsilon), 9) if settings.exploration == "egreedy" else policy.floor


def with_share(settings: ExperimentSettings, wanted: float) -> PolicySettings:
    """The policy with that `explorationPercentage`; as it is where it has it already."""
    if wanted == share(settings):
        return settings.policy
    epsilon = 0.0 if settings.exploration == "egreedy" else settings.policy.epsilon
    return replace(settings.policy, floor=wanted, epsilon=epsilon)


def shared(floor: float, epsilon: float | None) -> tuple[float, float]:
    """The floor and the epsilon of `egreedy` with so much exploration in all: None is no more than the floor.

    >>> shared(0.02, 0.118), shared(0.2, 0.2), shared(0.2, 0.1), shared(0.2, None)
    ((0.02, 0.1), (0.2, 0.0), (0.1, 0.0), (0.2, 0.0))
    """
    if epsilon is None or not 0 < floor < 1:
        return floor, epsilon or 0.0
    rest = (epsilon - floor) / (1 - floor)
    return (floor, round(rest, 9)) if rest > _NOTHING else (min(floor, epsilon), 0.0)
