"""Contexts and actions as numbers: rows of the terms for events, and for all actions on offer at once. `terms` says which.

A number is z-scored and clipped to ±5; absent it is 0, its mean. A word is 1. Both are in `Terms.units`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np

from rewardloop.actions import ActionSet
from rewardloop.features import Features
from rewardloop.interactions import Floats, Ints
from rewardloop.policies.design.side_rows import SideRows
from rewardloop.policies.design.terms import ID, Pair, Terms
from rewardloop.policies.scaling import Scaler

_SPREAD: Final = 3
"""A table of all pairs of places that is as many times as large as the terms costs less than looking the terms up."""


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
        self._context, self._action = SideRows(terms.context, terms.units.context), SideRows(terms.action, terms.units.action)
        self._of_context, self._of_action = np.array(terms.terms, dtype=np.intp).T.copy()
        self._order = np.argsort(self._of_action, kind="stable")
        self._factors = self._of_context[self._order]
        self._places, self._starts = np.unique(self._of_action[self._order], return_index=True)
        self.rescale(contexts, actions)

    @property
    def width(self) -> int:
        """d, the constant included."""
        return len(self._of_context)

    @property
    def widths(self) -> tuple[int, int]:
        """Lengths of s and a."""
        return len(self._terms.context), len(self._terms.action)

    def rescale(self, contexts: Scaler, actions: Scaler) -> None:
        """Follows scalers that have learned more."""
        self._context.rescale(contexts)
        self._action.rescale(actions)

    def events(self, pairs: Sequence[Pair]) -> Floats:
        """(n, d) a row for each context with the action that was chosen."""
        S = self._context.rows([context for context, _ in pairs])
        A = self._action.rows([action for _, action in pairs])
        rows: Floats = S.take(self._of_context, axis=1)
        rows *= A.take(self._of_action, axis=1)
        return rows

    def context(self, context: Features) -> Floats:
        """(p + 1,) s."""
        return self._context.row(context)

    def contexts(self, contexts: Sequence[Features]) -> Floats:
        """(n, p + 1)"""
        return self._context.rows(contexts)

    def offered(self, actions: ActionSet) -> Offered:
        """All actions of a set."""
        ids = actions.ids
        if actions.features is None:
            return self._of(({},), ids)
        if any(ID in own for own in actions.features):
            ids = tuple([own.get(ID, action) for own, action in zip(actions.features, ids, strict=True)])  # type: ignore[misc]
        return self._of(actions.features, ids)

    def arranged(self, weights: Floats) -> Floats:
        """(d, m) by the place in a, as `folded` takes m vectors of weights (d, m)."""
        return weights.take(self._order, axis=0)

    def folded(self, s: Floats, weights: Floats) -> Floats:
        """(q + 2, m) from `arranged` weights: what each place of an action weighs in this context, one behind them 0."""
        products = weights * s.take(self._factors)[:, None]
        V = np.zeros((len(self._terms.action) + 1, weights.shape[1]))
        V[self._places] = np.add.reduceat(products, self._starts, axis=0)
        return V

    def spread_out(self, weights: Floats) -> Floats | None:
        """(p + 1, (q + 2)·m) of `arranged` weights (d, m): s times it is what `folded` gives. None where most of it would be 0."""
        p, q = self.widths
        if p * (q + 1) > _SPREAD * self.width:
            return None
        W = np.zeros((p, q + 1, weights.shape[1]))
        W[self._factors, self._of_action[self._order]] = weights
        return W.reshape(p, -1)

    def scores(self, V: Floats, offered: Offered) -> Floats:
        """(K, m) of `folded` weights."""
        scores: Floats = offered.numbers.T @ V.take(self._action.places, axis=0)
        for places in offered.words:
            scores += self._terms.units.action * V.take(places, axis=0)
        return scores

    def catalogue(self, weights: Floats, offered: Offered) -> Floats:
        """(p + 1, K·m) from `arranged` weights: s times it are the `scores` of these actions in any context."""
        A = np.zeros((offered.numbers.shape[1], len(self._terms.action) + 1))
        A[:, self._action.places] = offered.numbers.T
        rows = np.arange(len(A))
        for places in offered.words:
            A[rows, places] += self._terms.units.action
        A[:, -1] = 0.0
        G = np.zeros((len(self._terms.context), len(A), weights.shape[1]))
        for place, terms in self._by_context:
            G[place] = A.take(self._of_action[self._order[terms]], axis=1) @ weights.take(terms, axis=0)
        return G.reshape(len(G), -1)

    def spread(self, context: Features, covariance: Floats, offered: Offered) -> Floats:
        """(K,) standard deviations x·covariance·x of the actions' rows x."""
        s = self.context(context)
        half = self.folded(s, self.arranged(self.folded(s, self.arranged(covariance)).T))
        return np.sqrt(np.maximum(self._quadratic(half, offered), 0.0))

    @cached_property
    def _by_context(self) -> list[tuple[int, Ints]]:
        """Places of s that are in terms, and which of the arranged terms those are."""
        order = np.argsort(self._factors, kind="stable")
        places, starts = np.unique(self._factors[order], return_index=True)
        return list(zip(places.tolist(), np.split(order, starts[1:]), strict=True))

    def _of(self, rows: Sequence[Features], ids: Sequence[str]) -> Offered:
        """Of actions with these ids; `rows` are the features of each, or the one that all of them share."""
        numbers, words = self._action.columns(rows, ids)
        return Offered(numbers if len(rows) == len(ids) else np.repeat(numbers, len(ids), axis=1), words)

    def _quadratic(self, C: Floats, offered: Offered) -> Floats:
        """(K,) aᵀ C a."""
        numbers, unit = self.scores(C, offered), self._terms.units.action
        total: Floats = np.einsum("km,mk->k", numbers[:, self._action.places], offered.numbers)
        rows = np.arange(len(total))
        for places in offered.words:
            total += unit * numbers[rows, places]
        return total
