"""q(context, action), the expected reward, cross-fitted: what the direct and doubly robust estimators lean on.

The prediction for an event comes from a model that has not seen its fold, so that DR's residuals are honest. Fixed arms get a
regression each, actions with features (or of very many ids) share one: logistic where rewards take two values, a ridge where they
take more. Rough is enough: DR stays right whatever the model says, and a better model narrows its interval.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

import numpy as np

from rewardloop.evaluation.folds import N_FOLDS, folds
from rewardloop.evaluation.reward_models.arm_model import ArmModel
from rewardloop.evaluation.reward_models.joint_model import JointModel
from rewardloop.evaluation.reward_models.scale import Scale
from rewardloop.interactions import Floats, Interactions, Ints

MAX_ARMS = 1_000
"""With more ids than this a regression an arm would see too few events each: one model for all takes over."""


@dataclass(frozen=True, slots=True)
class RewardModel:
    """One model a fold, each learned from the events of the other folds; for any events, those it learned from and others."""

    model: ArmModel | JointModel
    baseline: Floats
    """(n_folds,) what a model that knows nothing says."""
    fold: Ints
    """(n,) of the events that it was fit on: what `predict` wants for those."""
    scale: Scale
    """Of the model and its baseline."""

    @classmethod
    def fit(cls, interactions: Interactions, seed: int, n_folds: int = N_FOLDS, weight: Floats | None = None) -> RewardModel:
        """`weight` (n,) ≥ 0 says how much each of at least one event counts; None: all alike.

        O(n·d²) with d ≤ 256 columns, five to ten times over where a logistic regression is fit.
        """
        fold = folds(interactions.event_ids, seed, min(n_folds, max(2, len(interactions))))
        fixed, reward = _is_fixed(interactions), interactions.reward
        scale = Scale.of(reward)
        baseline = scale.baseline(reward, fold)
        if fixed:
            return cls(ArmModel.fit(interactions, fold, baseline, scale, weight), baseline, fold, scale)
        return cls(JointModel.fit(interactions, fold, baseline, scale, weight), baseline, fold, scale)

    def predict(self, interactions: Interactions, fold: Ints) -> Floats:
        """q (Σ K_i,) of every offered action, from the models of the events' folds (n,): any fold, for an event it has not seen."""
        known_nothing = np.repeat(self.baseline[fold], np.diff(interactions.offsets))
        return self.scale.rewards(known_nothing + self.model.predict(interactions, fold))


def fit_predict(interactions: Interactions, seed: int, n_folds: int = N_FOLDS, weight: Floats | None = None) -> Floats:
    """q (Σ K_i,) of every offered action, within the rewards seen. Shift or scale the rewards and q follows.

    Memory a few times n·d and Σ K_i. Same interactions and seed, same bits. See `RewardModel`.
    """
    if len(interactions) == 0:
        return np.zeros(0)
    model = RewardModel.fit(interactions, seed, n_folds, weight)
    return model.predict(interactions, model.fold)


def robust_weight(interactions: Interactions, chosen: Floats) -> Floats:
    """π(chosen)·(1 − p)/p², averaging 1: what a residual adds to the variance of DR (Farajtabar et al. 2018, section 4).

    Where the log left no choice (p = 1 wherever π would go) it is 0, and the model knows the mean reward only.
    """
    weight = chosen * np.maximum(1 - interactions.probability, 0.0) / np.square(interactions.probability)
    total = float(weight.sum())
    return np.asarray(weight * (len(weight) / total) if total > 0 else weight, dtype=np.float64)


def _is_fixed(interactions: Interactions) -> bool:
    sets = {id(actions): actions for actions in interactions.actions}.values()
    if any(actions.features is not None for actions in sets):
        return False
    return len(set(chain.from_iterable(actions.ids for actions in sets))) <= MAX_ARMS
