"""Contexts and actions as numbers: rows of the terms for events, and for all actions on offer at once. `terms` says which.

A number is z-scored and clipped to ±5; absent it is 0, its mean. A word is 1. Both are in `Terms.units`.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import NamedTuple

import numpy as np

from rewardloop.features import ActionSet, Features
from rewardloop.interactions import Floats, Ints
from rewardloop.policies.scaling import LIMIT, Scaler
from rewardloop.policies.terms import ID, Pair, Side, Terms


class Offered(NamedTuple):
    """K actions."""

    numbers: Floats
    """(1 + m, K): the constant, and the numbers that have places."""
    words: Ints
    """(w, K) the place of each action's word, for w names; where it has none, one behind the last."""


class TermRows:
    """Of the given terms, as they are now: make another when they have grown."""

    def __init__(self, terms: Terms, contexts: Scaler, actions: Scaler) -> None:
        self._terms = terms
        self._context, self._action = _SideRows(terms.context, terms.units.context), _SideRows(terms.action, terms.units.action)
        self._of_context, self._of_action = np.array(terms.terms, dtype=np.intp).T.copy()
        self._order = np.argsort(self._of_action, kind="stable")
        self._factors = self._of_context[self._order]
        self._places, self._starts = np.unique(self._of_action[self._order], return_index=True)
        self.rescale(contexts, actions)

    @property
    def width(self) -> int:
        """d, the constant included."""
        return len(self._of_context)

    def rescale(self, contexts: Scaler, actions: Scaler) -> None:
        """Follows scalers that have learned more."""
        self._context.rescale(contexts)
        self._action.rescale(actions)

    def events(self, pairs: Sequence[Pair]) -> Floats:
        """(n, d) a row for each context with the action that was chosen."""
        S = np.array([self._context.row(context) for context, _ in pairs])
        A = np.array([self._action.row(action) for _, action in pairs])
        rows: Floats = S[:, self._of_context] * A[:, self._of_action]
        return rows

    def offered(self, actions: ActionSet) -> Offered:
        """All actions of a set."""
        ids = actions.ids
        if actions.features is None:
            return self._action.columns(({},), ids)
        if any(ID in own for own in actions.features):
            ids = tuple([own.get(ID, action) for own, action in zip(actions.features, ids, strict=True)])  # type: ignore[misc]
        return self._action.columns(actions.features, ids)

    def arranged(self, weights: Floats) -> Floats:
        """(m, d) by the place in a, as `folded` takes m vectors of weights (m, d)."""
        return weights.take(self._order, axis=1)

    def folded(self, context: Features, weights: Floats) -> Floats:
        """(m, q + 2) from `arranged` weights: what each place of an action weighs in this context, one behind them 0."""
        s = self._context.row(context)
        products = weights * s.take(self._factors)
        V = np.zeros((len(weights), len(self._terms.action) + 1))
        V[:, self._places] = np.add.reduceat(products, self._starts, axis=1)
        return V

    def scores(self, V: Floats, offered: Offered) -> Floats:
        """(m, K) of `folded` weights."""
        scores: Floats = V[:, self._action.places] @ offered.numbers
        for places in offered.words:
            scores += self._terms.units.action * V.take(places, axis=1)
        return scores

    def spread(self, context: Features, covariance: Floats, offered: Offered) -> Floats:
        """(K,) standard deviations x·covariance·x of the actions' rows x."""
        half = self.folded(context, self.arranged(self.folded(context, self.arranged(covariance)).T))
        return np.sqrt(np.maximum(self._quadratic(half, offered), 0.0))

    def _quadratic(self, C: Floats, offered: Offered) -> Floats:
        """(K,) aᵀ C a."""
        total = np.zeros(offered.numbers.shape[1])
        numbers, unit = self.scores(C, offered), self._terms.units.action
        total += np.einsum("mk,mk->k", numbers[self._action.places], offered.numbers)
        rows = np.arange(len(total))
        for places in offered.words:
            total += unit * numbers[places, rows]
        return total


class _SideRows:
    """Values of one side."""

    def __init__(self, side: Side, unit: float) -> None:
        self._side, self._unit = side, unit
        self._names = tuple(side.numbers)
        self.places = np.array([0, *side.numbers.values()], dtype=np.intp)
        self._get = itemgetter(*self._names) if len(self._names) > 1 else None

    def rescale(self, scaler: Scaler) -> None:
        affine = [scaler.affine(name) for name in self._names]
        self._mean = np.array([mean for mean, _ in affine])
        self._scale = np.array([scale for _, scale in affine])

    def row(self, features: Features) -> Floats:
        """(p + 1,)"""
        row = np.zeros(len(self._side))
        row[self.places] = self._numbers([features])[:, 0]
        for name, places in self._side.words.items():
            place = places.get(features.get(name))  # type: ignore[arg-type]
            if place is not None:
                row[place] = self._unit
        return row

    def columns(self, rows: Sequence[Features], ids: Sequence[str]) -> Offered:
        """Of actions with these ids; `rows` are the features of each, or the one that all of them share."""
        words = [self._words(rows, ids, name) for name in self._side.words]
        numbers = self._numbers(rows)
        return Offered(
            numbers if len(rows) == len(ids) else np.repeat(numbers, len(ids), axis=1),
            np.array(words, dtype=np.intp).reshape(-1, len(ids)),
        )

    def _words(self, rows: Sequence[Features], ids: Sequence[str], name: str) -> list[int]:
        """(K,) the place of each one's word; one behind the last where it has none."""
        places, nowhere = self._side.words[name], len(self._side)
        values = ids if name == ID else [row.get(name) for row in rows] * (len(ids) // len(rows))
        return [places.get(value, nowhere) for value in values]  # type: ignore[arg-type]

    def _numbers(self, rows: Sequence[Features]) -> Floats:
        """(1 + m, n) the constant and the numbers, scaled."""
        values = self._plain(rows)
        if values is None:
            table = [[_number(row.get(name)) for name in self._names] for row in rows]
            values = np.array(table, np.float64).reshape(len(rows), -1)
        z = (values - self._mean) * self._scale
        z = np.clip(np.where(np.isnan(z), 0.0, z), -LIMIT, LIMIT) * self._unit
        return np.vstack([np.ones(len(rows)), z.T])

    def _plain(self, rows: Sequence[Features]) -> Floats | None:
        """(n, m) where every row has every name, and a number there."""
        if self._get is None:
            return None
        try:
            values = np.array(list(map(self._get, rows)))
        except KeyError:
            return None
        return values.astype(np.float64) if values.dtype.kind in "fi" else None


def _number(value: float | str | None) -> float:
    """NaN for what is absent or, for once, a word: it becomes the mean."""
    return np.nan if value is None or isinstance(value, str) else float(value)
