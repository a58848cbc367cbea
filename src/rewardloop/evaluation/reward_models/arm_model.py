"""A regression an arm on the context's columns (and their products, where they are few): the reward model for fixed arms.

Logistic where rewards take two values, a ridge where they take more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rewardloop.evaluation.arms import action_numbers, known_numbers
from rewardloop.evaluation.reward_models import logistic, ridge
from rewardloop.evaluation.reward_models.columns import Columns, pairwise
from rewardloop.evaluation.reward_models.ridge import with_intercept
from rewardloop.evaluation.reward_models.scale import Scale
from rewardloop.interactions import Floats, Interactions, Ints

_WIDTH = 256
_PENALTY = 0.3
"""A column, times their number: the least error on held-out digits, at 200 to 8,000 events."""
_OF_COLUMN, _OF_PRODUCT = 1.0, 3.0
"""The penalties of a logistic regression. Weaker ones win by 3 % on average over thirteen data sets, and lose where rewards are
noisy (docs/estimators.md)."""
_FEW = 20
"""Up to this many columns their products are affordable: 20 + 210 of them."""
_CELLS = 1 << 21
"""Predictions held at once, of all arms for some events."""


@dataclass(frozen=True, slots=True)
class ArmModel:
    """A regression an arm and fold; predicts for any events, those it learned from and others."""

    columns: Columns
    numbers: Mapping[str, int]
    """Of the arms it has met."""
    weights: Floats
    """(n_folds, n_arms + 1, d); the last arm stands for those it has not met, and adds nothing."""

    @classmethod
    def fit(cls, interactions: Interactions, fold: Ints, baseline: Floats, scale: Scale, weight: Floats | None = None) -> ArmModel:
        """Each `fold` (n,) is fit on the others alone, beside its `baseline` (n_folds,) and by `weight` (n,)."""
        columns, matrix = Columns.fit_transform(interactions.contexts, _WIDTH)
        design, target = _design(matrix), scale.targets(interactions.reward)
        penalty = _penalties(matrix.shape[1], design.shape[1], scale.odds)
        held_out = logistic.fit_held_out if scale.odds else ridge.fit_held_out
        arm, numbers = action_numbers(interactions.actions)
        chosen = arm[interactions.chosen]
        weights = np.zeros((len(baseline), len(numbers) + 1, design.shape[1]))
        for number in np.unique(chosen):
            rows = np.flatnonzero(chosen == number)
            importance = None if weight is None else weight[rows]
            weights[:, number] = held_out(design[rows], target[rows], fold[rows], baseline, penalty, importance)
        return cls(columns, numbers, weights)

    def predict(self, interactions: Interactions, fold: Ints) -> Floats:
        """(Σ K_i,) what each arm adds to its fold's baseline, on its scale; 0 for an arm the other folds never chose."""
        arm, offsets = known_numbers(interactions.actions, self.numbers), interactions.offsets
        q, step = np.empty(offsets[-1]), max(1, _CELLS // self.weights.shape[1])
        for number, of_fold in enumerate(self.weights):
            events = np.flatnonzero(fold == number)
            for start in range(0, len(events), step):
                block = events[start : start + step]
                design = _design(self.columns.transform([interactions.contexts[i] for i in block.tolist()]))
                flat, row = _positions(offsets, block)
                q[flat] = (design @ of_fold.T)[row, arm[flat]]
        return q


def _design(matrix: Floats) -> Floats:
    return with_intercept(pairwise(matrix) if matrix.shape[1] <= _FEW else matrix)


def _penalties(n_columns: int, width: int, odds: bool) -> Floats:
    """(width,) of the intercept, the columns and, if there are any, their products."""
    columns = np.full(n_columns, _OF_COLUMN if odds else _PENALTY * width)
    products = np.full(width - 1 - n_columns, _OF_PRODUCT if odds else _PENALTY * width)
    return np.concatenate([np.ones(1), columns, products])


def _positions(offsets: Ints, events: Ints) -> tuple[Ints, Ints]:
    """Where the actions of these events stand in a flat array, and which of the events each belongs to."""
    sizes = offsets[events + 1] - offsets[events]
    row = np.repeat(np.arange(len(events)), sizes)
    return np.arange(len(row)) - np.repeat(np.cumsum(sizes) - sizes, sizes) + offsets[events][row], row
