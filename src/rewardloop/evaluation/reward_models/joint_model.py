"""One regression over context, action and their products: the reward model for actions with features that come and go.

Logistic where rewards take two values, a ridge where they take more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from rewardloop.actions import ActionSet
from rewardloop.evaluation.reward_models import logistic, ridge
from rewardloop.evaluation.reward_models.columns import Columns, sketch
from rewardloop.evaluation.reward_models.ridge import with_intercept
from rewardloop.evaluation.reward_models.scale import Scale
from rewardloop.interactions import Floats, Interactions, Ints

_WIDTH = 40
"""Columns of a context, and of an action."""
_IDS = 24
"""Action ids with a column of their own; the others share one. With the products below, 249 columns in all."""
_CROSSED = 12
"""Columns of each that are multiplied with each other, 144 products."""
_OF_COLUMN, _OF_PRODUCT = 3.0, 10.0
"""The penalties of a logistic regression, of seven worlds the best of three (docs/estimators.md)."""
_ROWS = 1 << 14
"""Offered actions translated at once."""


@dataclass(frozen=True, slots=True)
class _ActionColumns:
    """An action as numbers: its features' columns, then its id's."""

    features: Columns
    ids: Mapping[str, int]
    crossed: slice
    """What is multiplied with the context: the features, or the ids where there are none."""

    @classmethod
    def fit(cls, taken: Sequence[tuple[ActionSet, int]]) -> _ActionColumns:
        features, _ = Columns.fit_transform([_features(offered, i) for offered, i in taken], _WIDTH)
        counts = Counter(offered.ids[i] for offered, i in taken)
        ids = {name: column for column, (name, _) in enumerate(counts.most_common(_IDS))}
        crossed = slice(features.width, features.width + _IDS + 1) if features.empty else slice(0, features.width)
        return cls(features, ids, crossed)

    def transform(self, actions: Sequence[tuple[ActionSet, int]]) -> Floats:
        features = self.features.transform([_features(offered, i) for offered, i in actions])
        known = np.zeros((len(actions), _IDS + 1))
        known[np.arange(len(actions)), [self.ids.get(offered.ids[i], _IDS) for offered, i in actions]] = 1.0
        return np.hstack([features, known])

    def cross(self, action: Floats) -> Floats:
        return sketch(action[:, self.crossed], _CROSSED)


@dataclass(frozen=True, slots=True)
class JointModel:
    """One regression a fold; predicts for any events, those it learned from and others."""

    context: Columns
    action: _ActionColumns
    weights: Floats
    """(n_folds, d)"""

    @classmethod
    def fit(cls, events: Interactions, fold: Ints, baseline: Floats, scale: Scale, weight: Floats | None = None) -> JointModel:
        """Each `fold` (n,) is fit on the others alone, beside its `baseline` (n_folds,) and by `weight` (n,)."""
        taken = list(zip(events.actions, events.action.tolist(), strict=True))
        columns = _ActionColumns.fit(taken)
        of_context, context = Columns.fit_transform(events.contexts, _WIDTH)
        action, left = columns.transform(taken), sketch(context, _CROSSED)
        products = (left[:, :, None] * columns.cross(action)[:, None, :]).reshape(len(left), -1)
        design = with_intercept(np.hstack([context, action, products]))
        penalty = _penalties(design.shape[1], products.shape[1], scale.odds)
        held_out = logistic.fit_held_out if scale.odds else ridge.fit_held_out
        return cls(of_context, columns, held_out(design, scale.targets(events.reward), fold, baseline, penalty, weight))

    def predict(self, interactions: Interactions, fold: Ints) -> Floats:
        """(Σ K_i,) what each offered action adds to its fold's baseline."""
        context = self.context.transform(interactions.contexts)
        return _predict(interactions, context, self.action, self.weights[fold])


def _penalties(width: int, n_products: int, odds: bool) -> Floats:
    """(width,) of the intercept, the columns and their products."""
    if not odds:
        return np.append(1.0, np.full(width - 1, float(width)))
    return np.concatenate([np.ones(1), np.full(width - 1 - n_products, _OF_COLUMN), np.full(n_products, _OF_PRODUCT)])


def _predict(interactions: Interactions, context: Floats, columns: _ActionColumns, weights: Floats) -> Floats:
    """q = β₀ + β_x·x + β_z·z + x'ᵀBz': the part of the context is computed once an event, not once an action."""
    left = sketch(context, _CROSSED)
    start_of_action = 1 + context.shape[1]
    start_of_product = start_of_action + columns.features.width + _IDS + 1
    constant = weights[:, 0] + np.einsum("nd,nd->n", context, weights[:, 1:start_of_action])
    product = weights[:, start_of_product:].reshape(len(left), left.shape[1], -1)
    linear, bilinear = weights[:, start_of_action:start_of_product], np.einsum("nl,nlr->nr", left, product)
    q = np.empty(interactions.offsets[-1])
    for start, stop in _blocks(interactions.offsets):
        action, row = _offered(interactions.actions[start:stop], columns)
        row += start
        value = constant[row] + np.einsum("rd,rd->r", action, linear[row])
        q[interactions.offsets[start] : interactions.offsets[stop]] = value + np.einsum(
            "rd,rd->r", columns.cross(action), bilinear[row]
        )
    return q


def _offered(actions: Sequence[ActionSet], columns: _ActionColumns) -> tuple[Floats, Ints]:
    """The columns of every offered action of these events, and the event each belongs to; a shared set is translated once."""
    sets = {id(offered): offered for offered in actions}
    matrix = columns.transform([(offered, i) for offered in sets.values() for i in range(len(offered))])
    ends = np.cumsum([len(offered) for offered in sets.values()])
    place = {key: np.arange(end - len(offered), end) for (key, offered), end in zip(sets.items(), ends, strict=True)}
    sizes = [len(offered) for offered in actions]
    return matrix[np.concatenate([place[id(offered)] for offered in actions])], np.repeat(np.arange(len(actions)), sizes)


def _blocks(offsets: Ints) -> list[tuple[int, int]]:
    """Runs of events with about `_ROWS` offered actions each."""
    cuts = np.searchsorted(offsets, np.arange(0, offsets[-1], _ROWS), side="left")
    edges = np.unique(np.concatenate([cuts, [0, len(offsets) - 1]]))
    return [(int(start), int(stop)) for start, stop in pairwise(edges)]


def _features(offered: ActionSet, position: int) -> Mapping[str, float | str]:
    return offered.features[position] if offered.features is not None else {}
