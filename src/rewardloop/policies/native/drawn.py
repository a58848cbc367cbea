"""Who wins how many of the draws of a posterior over actions with features. What is offered again and again is multiplied once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import numpy as np

from rewardloop.actions import ActionSet
from rewardloop.features import Features
from rewardloop.interactions import Floats
from rewardloop.policies.design.term_rows import Offered, TermRows
from rewardloop.policies.design.weights import Weights
from rewardloop.policies.products import UNTHREADED, row_product
from rewardloop.recurring import Newcomers

_KEPT_ACTIONS: Final = 2_000
"""Actions, over all sets, that are kept as rows for when they are offered again."""
_KEPT_NUMBERS: Final = 1 << 21
"""Products of draws with all of a set's actions that are kept, over all sets: 16 MB."""
_USUAL: Final = 4
"""A set that was asked for as often is multiplied with the draws, once for all contexts."""
_CELLS: Final = 1 << 16
"""Scores worked on at once: as many as a processor's cache holds."""
_TIE: Final = 1e-9
"""Scores as near are one: rounding, which differs from one decision to a batch of them, may not choose."""


class _Kept:
    """A set of actions as rows; once it is usual `products` (p, K·m), and behind them (p, K) of weights that all draws share."""

    def __init__(self, offered: Offered, n_asked: int) -> None:
        self.offered = offered
        self.n_asked = n_asked
        self.products: Floats | None = None


class Sets:
    """Sets of actions as rows, kept when they are offered a second time; good until something is learned."""

    def __init__(self, rows: TermRows) -> None:
        self._rows = rows
        self._newcomers = Newcomers()
        self._kept: dict[bytes, _Kept] = {}
        self._n_actions = 0
        self.n_products = 0

    def of(self, actions: ActionSet) -> _Kept:
        return self._kept.get(actions.raw) or self._made(actions)

    def is_new(self, actions: ActionSet) -> bool:
        """Whether it was never offered before; the next time it is not new."""
        return actions.raw not in self._kept and self._newcomers.is_new(actions.raw)

    def _made(self, actions: ActionSet) -> _Kept:
        is_new = self._newcomers.is_new(actions.raw)
        kept = _Kept(self._rows.offered(actions), 0 if is_new else 1)
        if not is_new and len(actions) <= _KEPT_ACTIONS:
            self._keep(actions, kept)
        return kept

    def _keep(self, actions: ActionSet, kept: _Kept) -> None:
        if self._n_actions + len(actions) > _KEPT_ACTIONS:
            self._kept, self._n_actions, self.n_products = {}, 0, 0
        self._kept[actions.raw] = kept
        self._n_actions += len(actions)


class Drawn:
    """m draws of θ. In each an action wins, or several that are equal, as much each; its share of draws is its probability.

    `weights` are m vectors, `same` one more that is the same in every draw. A context s costs O(m·(d + q·K)) among K actions of q
    features; where a set of actions was asked for before, O(m·p·K) for p features of s, by one product for all contexts of a batch.
    """

    def __init__(self, rows: TermRows, weights: Weights, same: Weights | None) -> None:
        self._rows, self._weights, self._same = rows, weights, same
        self._n_draws = weights.m
        self._n_folded = weights.n_folded if same is None or same.n_folded is not None else None
        self._ones = np.ones(self._n_draws)
        self._sets = Sets(rows)

    def shares(self, context: Features, actions: ActionSet) -> Floats:
        """(K,)"""
        s, kept = self._rows.context(context), self._sets.of(actions)
        products = self._products(kept, 1)
        if products is None:
            return self._won(self._scores(s, kept.offered))
        return self._won(self._many(row_product(s, products)[None])[0])

    def shares_many(self, contexts: Sequence[Features], actions: Sequence[ActionSet]) -> Floats:
        """(Σ K_i,) of each, one after the other."""
        S, found = self._rows.contexts(contexts), [np.empty(0)] * len(contexts)
        alike, new = self._sorted(actions)
        for rows in alike:
            for row, shares in zip(rows, self._alike(S[rows], actions[rows[0]]), strict=True):
                found[row] = shares
        for rows in new:
            for row, shares in zip(rows, self._differing(S[rows], [actions[row] for row in rows]), strict=True):
                found[row] = shares
        return np.concatenate([np.empty(0), *found])

    def _sorted(self, actions: Sequence[ActionSet]) -> tuple[Iterable[list[int]], Iterable[list[int]]]:
        """Which have the same actions on offer, and which others have as many, each its own that never were before."""
        alike, new = defaultdict[bytes, list[int]](list), defaultdict[int, list[int]](list)
        for row, offered in enumerate(actions):
            alike[offered.raw].append(row)
        for raw, rows in list(alike.items()) if self._n_folded is not None else ():
            offered = actions[rows[0]]
            if len(rows) == 1 and offered.features is not None and self._sets.is_new(offered):
                new[len(offered)] += alike.pop(raw)
        return alike.values(), new.values()

    def _differing(self, S: Floats, sets: Sequence[ActionSet]) -> Iterator[Floats]:
        """(K,) of each of n contexts with K actions of its own."""
        step = max(1, _CELLS // max(self._n_folded or 1, len(sets[0]) * self._n_draws))
        for start in range(0, len(S), step):
            part = slice(start, start + step)
            V = self._weights.folded_many(S[part])
            if self._same is not None:
                V += self._same.folded_many(S[part])
            yield from self._won_many(self._rows.scores_many(V, self._rows.offered_many(sets[part])))

    def _alike(self, S: Floats, actions: ActionSet) -> Sequence[Floats]:
        """(n, K) of n contexts with the same actions on offer."""
        kept = self._sets.of(actions)
        products = self._products(kept, len(S))
        if products is None:
            return [self._won(self._scores(s, kept.offered)) for s in S]
        step = max(1, min(_CELLS // products.shape[1], UNTHREADED // products.size))
        parts = [S[start : start + step] @ products for start in range(0, len(S), step)]
        return [shares for part in parts for shares in self._won_many(self._many(part))]

    def _scores(self, s: Floats, offered: Offered) -> Floats:
        scores = self._rows.scores(self._weights.folded(s), offered)
        if self._same is not None:
            scores += self._rows.scores(self._same.folded(s), offered)
        return scores

    def _many(self, found: Floats) -> Floats:
        """(n, K, m) from what contexts (n) are in `products`."""
        n_drawn = found.shape[1] // (self._n_draws + 1) * self._n_draws if self._same is not None else found.shape[1]
        scores = found[:, :n_drawn].reshape(len(found), -1, self._n_draws)
        return scores if self._same is None else scores + found[:, n_drawn:, None]

    def _products(self, kept: _Kept, n_asked: int) -> Floats | None:
        """Those of a usual set, where they are fewer than what they spare."""
        kept.n_asked += n_asked
        if kept.products is not None or kept.n_asked < _USUAL:
            return kept.products
        (p, q), n_actions = self._rows.widths, kept.offered.numbers.shape[1]
        size = p * n_actions * (self._n_draws + 1)
        if p * n_actions <= 2 * (len(self._weights) + q * n_actions) and self._sets.n_products + size <= _KEPT_NUMBERS:
            self._sets.n_products += size
            A = self._rows.actions(kept.offered)
            kept.products = np.concatenate([part.catalogue(A) for part in (self._weights, self._same) if part is not None], axis=1)
        return kept.products

    def _won(self, scores: Floats) -> Floats:
        """(K,) from (K, m)."""
        wins = scores >= scores.max(axis=0) - _TIE
        shares: Floats = wins.dot(self._ones)
        if shares.sum() != self._n_draws:
            shares = (wins / wins.sum(axis=0)).dot(self._ones)
        shares /= self._n_draws
        return shares

    def _won_many(self, scores: Floats) -> Floats:
        """(n, K) from (n, K, m): the same numbers."""
        wins = scores >= scores.max(axis=1, keepdims=True) - _TIE
        shares: Floats = wins.dot(self._ones)
        for row in np.flatnonzero(shares.sum(axis=1) != self._n_draws).tolist():
            shares[row] = (wins[row] / wins[row].sum(axis=0)).dot(self._ones)
        shares /= self._n_draws
        return shares
