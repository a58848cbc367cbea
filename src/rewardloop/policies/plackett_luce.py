"""Rankings drawn without replacement from one distribution: the marginal probability of each action at each position."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

import numpy as np

from rewardloop.interactions import Floats

PANELS: Final = 64
NODES: Final = 16
_LONGEST: Final = 36.0
"""In −log u: what is left beyond has probability e⁻³⁶."""


def position_marginals(pmf: Sequence[float], top_k: int) -> Floats:
    """(k, K) P(action i stands at position j) of a Plackett-Luce ranking with weights `pmf`.

    Each action arrives at an exponential time of rate pmf[i]; the order of arrival is the ranking (Yellott 1977; Efraimidis and
    Spirakis 2006). Given that i arrives at t, the others have arrived independently with probability 1 − e^(−pmf·t), so how many
    have is Poisson-binomial, and P(i at j) = E[P(j − 1 others before T_i)]. The integral is taken over log t by Gauss-Legendre
    quadrature on 64 panels of 16 nodes: O(K·k²) each, errors below 1e-10. An action of probability 0 stands nowhere.

    >>> position_marginals([0.5, 0.25, 0.25], 2).round(4).tolist()
    [[0.5, 0.25, 0.25], [0.3333, 0.3333, 0.3333]]
    """
    weights = np.asarray(pmf, np.float64)
    alive = np.flatnonzero(weights > 0.0)
    if top_k > len(alive):
        raise ValueError(f"expected at most {len(alive)} positions, got {top_k}")
    found = np.zeros((top_k, len(weights)))
    found[:, alive] = _marginals(weights[alive] / weights[alive].sum(), top_k)
    return found


def _marginals(rate: Floats, top_k: int) -> Floats:
    marginals = np.zeros((top_k, len(rate)))
    for log_t, measure in _panels(float(rate.min())):
        t = np.exp(log_t)
        waiting = np.exp(-np.multiply.outer(rate, t))
        arrives = waiting * rate[:, None] * (t * measure)
        marginals += np.einsum("in,inj->ji", arrives, _others(waiting, top_k))
    return marginals


def _panels(slowest: float) -> Iterator[tuple[Floats, Floats]]:
    """Where log t is looked at, and the weight of each place: from almost nothing has arrived to almost all has."""
    x, w = np.polynomial.legendre.leggauss(NODES)
    edges = np.linspace(-_LONGEST, np.log(_LONGEST / slowest), PANELS + 1)
    for low, high in pairwise(edges.tolist()):
        half = (high - low) / 2
        yield (low + high) / 2 + half * x, half * w


def _others(waiting: Floats, top_k: int) -> Floats:
    """(K, nodes, k) P(so many of the others have arrived), for 0 to k − 1: those before i and those after it, convolved."""
    before, after = _counted(waiting, top_k), _counted(waiting[::-1], top_k)[::-1]
    found = np.zeros_like(before)
    for n in range(top_k):
        found[:, :, n:] += before[:, :, n : n + 1] * after[:, :, : top_k - n]
    return found


def _counted(waiting: Floats, top_k: int) -> Floats:
    """(K, nodes, k) P(so many of those before i have arrived): Poisson-binomial, one action after another."""
    counts = np.zeros((*waiting.shape, top_k))
    counts[0, :, 0] = 1.0
    for i, still in enumerate(waiting[:-1]):
        counts[i + 1] = counts[i] * still[:, None]
        counts[i + 1, :, 1:] += counts[i, :, :-1] * (1.0 - still)[:, None]
    return counts
