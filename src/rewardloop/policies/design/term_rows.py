"""Contexts and actions as numbers: rows of the terms for events, and for all actions on offer at once. `terms` says which.

What they weigh is `weights`' business.

A number is z-scored and clipped to ±5; absent it is 0, its mean. A word is 1. Both are in `Terms.units`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from rewardloop.actions import ActionSet
from rewardloop.features import Features
from rewardloop.interactions import Floats, Ints
from rewardloop.policies.design.side_rows import SideRows
from rewardloop.policies.design.terms import ID, Pair, Terms
from rewardloop.policies.design.weights import Layout
from rewardloop.policies.scaling import Scaler
from rewardloop.tables import Table


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
        self.scales = np.array(terms.scales)
        """(d,)"""
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
        rows *= self.scales
        return rows

    def context(self, context: Features) -> Floats:
        """(p + 1,) s."""
        return self._context.row(context)

    def contexts(self, contexts: Sequence[Features]) -> Floats:
        """(n, p + 1)"""
        return self._context.rows(contexts)

    def offered(self, actions: ActionSet) -> Offered:
        """All actions of a set."""
        if actions.features is not None:
            return self.offered_many([actions])
        numbers, words = self._action.columns(({},), actions.ids)
        return Offered(np.repeat(numbers, len(actions), axis=1), words)

    def offered_many(self, sets: Sequence[ActionSet]) -> Offered:
        """The actions of several sets, one behind the other; all sets bring features."""
        ids: list[str] = [action for actions in sets for action in actions.ids]
        tables = [actions.features for actions in sets if isinstance(actions.features, Table)]
        table = Table.joined(tables) if tables and len(tables) == len(sets) else None
        if table is not None and ID not in table.names:
            return Offered(*self._action.columns_of_table(table, ids))
        rows = [own for actions in sets for own in actions.features or ()]
        return Offered(*self._action.columns(rows, _named(rows, ids)))

    def layout(self, start: int, stop: int) -> Layout:
        """Of some of the terms."""
        return Layout(self._terms.terms[start:stop], *self.widths)

    def scores(self, V: Floats, offered: Offered, power: Literal[1, 2] = 1) -> Floats:
        """(K, m) of folded weights (q + 1, m); with `power` 2, of the squares of what actions are."""
        numbers, unit = offered.numbers, self._terms.units.action
        if power == 2:
            numbers, unit = numbers * numbers, unit * unit
        scores: Floats = numbers.T @ V.take(self._action.places, axis=0)
        for places in offered.words:
            scores += unit * V.take(places, axis=0)
        return scores

    def scores_many(self, V: Floats, offered: Offered) -> Floats:
        """(n, K, m) of folded weights (n, q + 1, m), each with one of n sets of K actions that are one behind the other."""
        (n, width, m), unit = V.shape, self._terms.units.action
        scores: Floats = offered.numbers.T.reshape(n, -1, len(offered.numbers)) @ V.take(self._action.places, axis=1)
        each, starts = V.reshape(-1, m), np.arange(0, n * width, width)[:, None]
        for places in offered.words:
            scores += unit * each.take(starts + places.reshape(n, -1), axis=0)
        return scores

    def actions(self, offered: Offered) -> Floats:
        """(K, q + 1) a of each, and 0."""
        A = np.zeros((offered.numbers.shape[1], len(self._terms.action) + 1))
        A[:, self._action.places] = offered.numbers.T
        rows = np.arange(len(A))
        for places in offered.words:
            A[rows, places] += self._terms.units.action
        A[:, -1] = 0.0
        return A


def _named(rows: Sequence[Features], ids: Sequence[str]) -> Sequence[str]:
    """The ids of actions, or what stands under their name in an action's features."""
    if any(ID in own for own in rows):
        return [own.get(ID, action) for own, action in zip(rows, ids, strict=True)]  # type: ignore[misc]
    return ids
