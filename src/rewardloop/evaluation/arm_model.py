"""A ridge an arm on the context's columns (and their products, where they are few): the reward model for fixed arms."""

from __future__ import annotations

import numpy as np

from rewardloop.evaluation.arms import action_numbers
from rewardloop.evaluation.columns import Columns, pairwise
from rewardloop.evaluation.ridge import fit_held_out, with_intercept
from rewardloop.interactions import Floats, Interactions, Ints

_WIDTH = 256
_PENALTY = 0.3
"""A column, times their number: the least error on held-out digits, at 200 to 8,000 events."""
_FEW = 20
"""Up to this many columns their products are affordable: 20 + 210 of them."""
_CELLS = 1 << 21
"""Predictions held at once, of all arms for some events."""


def fit_predict(interactions: Interactions, fold: Ints, baseline: Floats, weight: Floats | None = None) -> Floats:
    """(Σ K_i,) what each arm adds to its fold's `baseline` (n_folds,); 0 for an arm the other folds never chose."""
    design = _design(interactions)
    arm, n_arms = action_numbers(interactions.actions)
    chosen = arm[interactions.chosen]
    weights = np.zeros((len(baseline), n_arms, design.shape[1]))
    penalty = np.append(1.0, np.full(design.shape[1] - 1, _PENALTY * design.shape[1]))
    for number in np.unique(chosen):
        rows = np.flatnonzero(chosen == number)
        importance = None if weight is None else weight[rows]
        weights[:, number] = fit_held_out(design[rows], interactions.reward[rows], fold[rows], baseline, penalty, importance)
    return _predict(design, weights, fold, arm, interactions.offsets)


def _design(interactions: Interactions) -> Floats:
    columns, matrix = Columns.fit_transform(interactions.contexts, _WIDTH)
    return with_intercept(pairwise(matrix) if columns.width <= _FEW else matrix)


def _predict(design: Floats, weights: Floats, fold: Ints, arm: Ints, offsets: Ints) -> Floats:
    q = np.empty(offsets[-1])
    step = max(1, _CELLS // weights.shape[1])
    for number, of_fold in enumerate(weights):
        events = np.flatnonzero(fold == number)
        for start in range(0, len(events), step):
            block = events[start : start + step]
            flat, row = _positions(offsets, block)
            q[flat] = (design[block] @ of_fold.T)[row, arm[flat]]
    return q


def _positions(offsets: Ints, events: Ints) -> tuple[Ints, Ints]:
    """Where the actions of these events stand in a flat array, and which of the events each belongs to."""
    sizes = offsets[events + 1] - offsets[events]
    row = np.repeat(np.arange(len(events)), sizes)
    return np.arange(len(row)) - np.repeat(np.cumsum(sizes) - sizes, sizes) + offsets[events][row], row
