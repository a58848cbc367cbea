"""q(context, values), the expected reward at a point of a box, cross-fitted: what doubly robust estimates of a box lean on.

One ridge: the context's columns, each value and its square, products of values, and the context times values and squares. A
quadratic in the values, so what it expects of a policy needs no draws: means and mean squares of each value are enough.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rewardloop.actions import Ranges
from rewardloop.evaluation.folds import N_FOLDS, folds, means_of_the_others
from rewardloop.evaluation.reward_models.columns import Columns, sketch
from rewardloop.evaluation.reward_models.ridge import fit_held_out, with_intercept
from rewardloop.interactions import Floats, Interactions, Ints
from rewardloop.policies.spreads import Spreads, scaled

_WIDTH = 40
"""Columns of a context."""
_CROSSED = 12
"""Of those, at most so many (or sums of them) are multiplied with the values."""
_SHORT = 12
"""Values whose products with each other have columns of their own; of more, sums stand for them."""
_PENALTY = 0.1
"""A column."""
_OF_FLOOR = (0.0, 1.0 / 3.0)
"""Mean and mean square of a value that the floor draws, scaled to -1 … 1."""


@dataclass(frozen=True, slots=True)
class BoxRewardModel:
    """A ridge a fold, each learned from the events of the other folds."""

    columns: Columns
    ranges: Ranges
    baseline: Floats
    """(n_folds,)"""
    weights: Floats
    """(n_folds, w)"""
    fold: Ints
    """(n,) of the events it was fit on."""

    @classmethod
    def fit(cls, log: Interactions, ranges: Ranges, seed: int, n_folds: int = N_FOLDS) -> BoxRewardModel:
        """On at least two events with values. O(n·w²)."""
        assert log.box is not None
        fold = folds(log.event_ids, seed, min(n_folds, max(2, len(log))))
        baseline = means_of_the_others(log.reward, fold)
        columns, context = Columns.fit_transform(log.contexts, _WIDTH)
        values = scaled(log.box.values, ranges)
        design = _design(context, values, np.square(values))
        penalty = np.append(1.0, np.full(design.shape[1] - 1, _PENALTY * design.shape[1]))
        return cls(columns, ranges, baseline, fit_held_out(design, log.reward, fold, baseline, penalty), fold)

    def at(self, log: Interactions, fold: Ints) -> Floats:
        """(n,) q at the logged values."""
        assert log.box is not None
        values = scaled(log.box.values, self.ranges)
        return self._expected(self.columns.transform(log.contexts), values, np.square(values), fold)

    def of(self, log: Interactions, spreads: Spreads, fold: Ints) -> Floats:
        """(n,) what q expects of a policy that draws from `spreads`, floor included. No draws: q is quadratic."""
        context = self.columns.transform(log.contexts)
        own = self._expected(context, *spreads.moments(), fold)
        first, second = (np.full(spreads.location.shape, moment) for moment in _OF_FLOOR)
        return (1.0 - spreads.floor) * own + spreads.floor * self._expected(context, first, second, fold)

    def _expected(self, context: Floats, first: Floats, second: Floats, fold: Ints) -> Floats:
        found: Floats = self.baseline[fold] + np.einsum("nw,nw->n", _design(context, first, second), self.weights[fold])
        return found


def _design(context: Floats, first: Floats, second: Floats) -> Floats:
    """(n, w) from values (n, d) and their squares, or from means and mean squares: values are drawn independently."""
    left = sketch(context, _CROSSED)
    both = np.hstack([first, second])
    products = (left[:, :, None] * both[:, None, :]).reshape(len(context), -1)
    rows, columns = np.triu_indices(first.shape[1], k=1)
    crossed = sketch(first[:, rows] * first[:, columns], _SHORT * (_SHORT - 1) // 2)
    return with_intercept(np.hstack([context, np.square(context), both, products, crossed]))
