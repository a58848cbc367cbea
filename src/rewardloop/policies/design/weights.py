"""Weights of terms: what each place of an action weighs in one context. Which terms there are is `terms`' business."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Final

import numpy as np

from rewardloop.interactions import Floats, Ints
from rewardloop.policies.design.terms import Term
from rewardloop.policies.products import product, row_product

_SPREAD: Final = 3
"""A table of all pairs of places that is as many times as large as the terms costs less than looking the terms up."""


class Layout:
    """Some terms (i, j) of s (p,) and a (q,), in the order of j."""

    def __init__(self, terms: Sequence[Term], p: int, q: int) -> None:
        of_context, of_action = np.array(terms, dtype=np.intp).reshape(-1, 2).T
        self.p, self.q = p, q
        self.order = np.argsort(of_action, kind="stable")
        self.factors, self.to = of_context[self.order], of_action[self.order]
        """Places in s, and in a."""
        self.places, self.starts = np.unique(self.to, return_index=True)

    def __len__(self) -> int:
        return len(self.order)

    @cached_property
    def by_context(self) -> list[tuple[int, Ints]]:
        """Places of s that are in terms, and which of the terms those are."""
        order = np.argsort(self.factors, kind="stable")
        places, starts = np.unique(self.factors[order], return_index=True)
        return list(zip(places.tolist(), np.split(order, starts[1:]), strict=True))


class Weights:
    """m vectors of weights (d, m) of the terms of a layout, in the order these were given to it."""

    def __init__(self, layout: Layout, weights: Floats) -> None:
        self._layout = layout
        self._weights = weights.take(layout.order, axis=0)
        self._table = self._spread_out()

    def __len__(self) -> int:
        """d"""
        return len(self._layout)

    @property
    def m(self) -> int:
        """How many vectors."""
        return int(self._weights.shape[1])

    def folded(self, s: Floats) -> Floats:
        """(q + 1, m) what each place of an action weighs in this context (p,); one behind them 0."""
        if self._table is not None:
            return row_product(s, self._table).reshape(-1, self.m)
        products = self._weights * s.take(self._layout.factors)[:, None]
        V = np.zeros((self._layout.q + 1, self.m))
        V[self._layout.places] = np.add.reduceat(products, self._layout.starts, axis=0)
        return V

    @property
    def n_folded(self) -> int | None:
        """How many numbers `folded_many` makes for one context; None where it is not for these weights: most would be 0."""
        return self._table.shape[1] if self._table is not None else None

    def folded_many(self, S: Floats) -> Floats:
        """(n, q + 1, m) of contexts (n, p): `folded` of each, but for rounding."""
        assert self._table is not None
        return product(S, self._table).reshape(len(S), -1, self.m)

    def catalogue(self, A: Floats) -> Floats:
        """(p, K·m) of actions A (K, q + 1): s times it is what each of them weighs in any context."""
        G = np.zeros((self._layout.p, len(A), self.m))
        for place, terms in self._layout.by_context:
            G[place] = A.take(self._layout.to[terms], axis=1) @ self._weights.take(terms, axis=0)
        return G.reshape(len(G), -1)

    def _spread_out(self) -> Floats | None:
        """(p, (q + 1)·m): s times it is what `folded` gives. None where most of it would be 0."""
        p, q = self._layout.p, self._layout.q
        if p * (q + 1) > _SPREAD * len(self._layout):
            return None
        W = np.zeros((p, q + 1, self.m))
        W[self._layout.factors, self._layout.to] = self._weights
        return W.reshape(p, -1)
