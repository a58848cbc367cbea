"""What both ways of replaying a log are given, a resample of it, and what they find: a run. How they replay it stands elsewhere."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from rewardloop.actions import ActionSet
from rewardloop.errors import InvalidInput
from rewardloop.interactions import Interactions
from rewardloop.settings import ExperimentSettings, PolicySettings, RewardSettings
from rewardloop.settings.schema import Exploration
from rewardloop.worlds.logged import LoggedWorld

BATCH: Final = 100
"""Visitors between two steps of learning, about."""
LEAST: Final = 200
"""Visitors: fewer tell nothing about either."""


class Resample(NamedTuple):
    """Events drawn with replacement from a log, in its order."""

    log: Interactions
    arms: ActionSet
    reward_range: tuple[float, float] | None
    """Of the whole log; None where all rewards are the same."""
    model_seed: int
    rng: np.random.Generator
    """For what a run draws further."""

    def settings(self, exploration: Exploration) -> ExperimentSettings:
        """Of a bandit over these arms."""
        return ExperimentSettings(
            experiment="compare-ab",
            actions=self.arms.ids,
            policy=PolicySettings(exploration=exploration),
            reward=RewardSettings(range=self.reward_range),
        )


class Ended(NamedTuple):
    """How an A/B test ended."""

    winner: int
    ended_after: int
    significant: bool


class Run(NamedTuple):
    """What was found on one resample; of the A/B test first, then of each policy."""

    test: Ended
    rewards: list[float]
    """Mean ones."""
    n_worth: list[float]
    """As many events decided by itself would tell as much."""


def resample(world: LoggedWorld, arms: ActionSet, rng: np.random.Generator) -> Resample:
    """As many events as the log has."""
    log = world.interactions
    low, high = float(log.reward.min()), float(log.reward.max())
    drawn = log.take(np.sort(rng.integers(len(log), size=len(log))))
    return Resample(drawn, arms, (low, high) if low < high else None, int(rng.integers(2**31)), rng)


def lasting_arms(world: LoggedWorld) -> ActionSet:
    """Those of the log, where they are the same in each event and have no features. Raises `InvalidInput`."""
    first, *others = {actions.ids: actions for actions in world.interactions.actions}.values()
    if others or first.features is not None or first.ranges is not None or len(first) < 2:
        raise InvalidInput(
            "Expected two arms or more, the same in each event, without features: only those an A/B test compares", at="--log"
        )
    return first
