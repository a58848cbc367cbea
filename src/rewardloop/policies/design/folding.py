"""A quadratic form of products, narrower: what stands twice in xᵀ M x is multiplied once. No regression, no features.

Where columns of x are products e_i·e_j, several pairs of columns have one product: x_a·x_b = x_c·x_d if the four factors are the
same. Then entries of M may be added up and moved to any of these pairs, so that few columns of M are left.
"""

from __future__ import annotations

from typing import NamedTuple, Self

import numpy as np

from rewardloop.interactions import Floats, Ints


class Folding(NamedTuple):
    """Where the entries of matrices M (d, d) go, so that xᵀ M x = xᵀ F x[columns] for F (d, m)."""

    columns: Ints
    """(m,) those of M that are left."""
    cells: Ints
    """(d·d,) the place in F of each entry of M."""

    @classmethod
    def of(cls, first: Ints, second: Ints) -> Self | None:
        """For x_a = e[first[a]]·e[second[a]]; None where products are lacking for it.

        The factors are dealt into three groups. Of any four, two are in one group (the pigeonhole principle), so columns whose
        factors are in one group suffice: 26 of the 66 that the constant and ten numbers make.

        >>> i, j = np.triu_indices(3)
        >>> Folding.of(i, j).columns.tolist()
        [0, 3, 5]
        """
        d, n = len(first), int(max(first.max(), second.max())) + 1
        columns = np.flatnonzero(first % 3 == second % 3)
        a, b = np.divmod(np.arange(d * d), d)
        factors = np.sort(np.stack([first[a], second[a], first[b], second[b]]), axis=0)
        products, which = np.unique(np.ravel_multi_index(tuple(factors), (n,) * 4), return_inverse=True)
        place = np.full(len(products), -1)
        narrow = (np.arange(d)[:, None] * len(columns) + np.arange(len(columns))).ravel()
        place[which.reshape(d, d)[:, columns].ravel()] = narrow
        return None if place.min() < 0 else cls(columns, place[which.ravel()])

    def fold(self, M: Floats) -> Floats:
        """(d, m) F."""
        folded = np.bincount(self.cells, M.ravel(), len(M) * len(self.columns))
        return np.asarray(folded, dtype=np.float64).reshape(len(M), -1)
