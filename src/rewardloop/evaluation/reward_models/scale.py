"""On which scale rewards are modelled: their own, or, where there are just two, the log odds of the larger. No model lives here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from rewardloop.evaluation.folds import means_of_the_others
from rewardloop.interactions import Floats, Ints


@dataclass(frozen=True, slots=True)
class Scale:
    """What a linear model says, read as a reward.

    >>> clicks = Scale.of(np.array([0.0, 1.0, 1.0]))
    >>> clicks.odds, clicks.rewards(np.array([0.0])).tolist()
    (True, [0.5])
    >>> Scale.of(np.array([0.0, 0.5, 1.0])).odds
    False
    """

    least: float
    most: float
    """The rewards seen; predictions stay within."""
    odds: bool

    @classmethod
    def of(cls, reward: Floats) -> Scale:
        """Of at least one reward; log odds where they take two values."""
        least, most = float(reward.min()), float(reward.max())
        return cls(least, most, least < most and bool(np.all((reward == least) | (reward == most))))

    def targets(self, reward: Floats) -> Floats:
        """What is to be learned: rewards, or 0 and 1."""
        return (reward - self.least) / (self.most - self.least) if self.odds else reward

    def baseline(self, reward: Floats, fold: Ints) -> Floats:
        """(n_folds,) what a model that knows nothing says of each fold: the mean of the others."""
        means = means_of_the_others(self.targets(reward), fold)
        certain = 1.0 / (len(reward) + 2.0)
        return np.asarray(logit(means.clip(certain, 1 - certain)) if self.odds else means, dtype=np.float64)

    def rewards(self, linear: Floats) -> Floats:
        """Within the rewards seen."""
        found = self.least + (self.most - self.least) * expit(linear) if self.odds else linear
        return np.asarray(found.clip(self.least, self.most), dtype=np.float64)
