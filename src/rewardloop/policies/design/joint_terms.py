"""Which terms are joint where there are more than may be: those that are expected to tell most of the reward. No weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from rewardloop.interactions import Floats, Ints
from rewardloop.policies.design.relevance import relevance
from rewardloop.policies.design.term_rows import TermRows
from rewardloop.policies.design.terms import Pair, Seen, Terms, Units
from rewardloop.policies.scaling import Scaler

CANDIDATES: Final = 4_096
"""Terms that are looked at, those first that are most often not 0."""
APART: Final = 1.0, 1 / 4, 1 / 16, 1 / 64
"""Variances of weights that are not joint."""
_NEWEST: Final = 4_000
"""Events that are looked at: as many rows of candidates are in memory."""
_LIKELY: Final = 1_000
"""Events by which a variance of those apart is chosen, at the cost of their cube."""
_RELEVANT: Final = 500
"""Events by which variances of features are chosen, at the cost of their square for each candidate."""
Bools = npt.NDArray[np.bool_]


def screened(seen: Seen, units: Units, limit: int, pairs: Sequence[Pair], rewards: Floats) -> Terms:
    """All candidates, those first that the events (n pairs, n rewards) speak for: `limit` are to be joint. O(n) for each."""
    wide = Terms.of(seen, units, max(limit, CANDIDATES))
    if fits := len(wide.terms) <= limit + 1:
        wide.cross(limit)
    contexts, actions = Scaler(), Scaler()
    contexts.update(context for context, _ in pairs)
    actions.update(action for _, action in pairs)
    X, rewards = TermRows(wide, contexts, actions).events(pairs[-_NEWEST:]), rewards[-_NEWEST:]
    wide.scales = relevance(X[-_RELEVANT:], rewards[-_RELEVANT:], *wide.numbered()).tolist()
    if fits:
        return wide
    X *= wide.scales
    of_action = np.array([j > 0 for _, j in wide.terms])
    order, apart = _order(X, rewards, of_action), likeliest(X[-_LIKELY:], rewards[-_LIKELY:], of_action, limit)
    return wide.ordered(order[1:].tolist(), apart)


def likeliest(X: Floats, rewards: Floats, of_action: Bools, limit: int) -> float:
    """Which of a few variances of the weights of columns apart makes the rewards (n,) likeliest, where joint ones have 1.

    Which of the columns X (n, d) are joint is decided by one half of the events, and how likely the rewards are by the other: by
    the same ones, those that tell most by chance would be found to tell all, and nothing left to those apart. Where few of very
    many terms matter, it is a small one: otherwise what all the others seem to tell drowns them. The marginal likelihood of a
    linear model whose noise is unknown (Bishop, 2006, section 3.5).
    """
    if len(X) < 2:
        return APART[0]
    found = np.zeros(len(APART))
    for chooses, tells in ((0, 1), (1, 0)):
        order, y = _order(X[chooses::2], rewards[chooses::2], of_action), rewards[tells::2]
        rows = X[tells::2, order]
        J, U = rows[:, : limit + 1], rows[:, limit + 1 :]
        joint, others = np.eye(len(rows)) + J @ J.T, U @ U.T
        found += [_evidence(joint + apart * others, y) for apart in APART]
    return APART[int(found.argmax())]


def _order(X: Floats, rewards: Floats, of_action: Bools) -> Ints:
    """(d,) columns, the constant first, then those that tell most.

    What is the same for all actions does not tell one from another: it comes last, as it does where all is known by its mass.
    """
    order = np.argsort(-np.where(of_action, explained(X, rewards), -1.0), kind="stable")
    return np.concatenate([[0], order[order != 0]])


def _evidence(T: Floats, y: Floats) -> float:
    """log p(y | T) but for a constant, y ~ N(0, σ² T) with the likeliest σ²."""
    L = np.linalg.cholesky(T)
    z = np.linalg.solve(L, y)
    return float(-np.log(np.diag(L)).sum() - 0.5 * len(y) * np.log(max(float(z @ z), 1e-12)))


def explained(X: Floats, rewards: Floats) -> Floats:
    """(d,) E[θ_c² | events]·E[x_c²]: the variance of rewards that each column of X (n, d) is expected to explain by itself.

    In units of the rewards' own variance, of which all columns together are expected to explain all: θ_c ~ N(0, 1 / Σ E[x²]).
    With few events it is how large a column usually is; with many, what it has explained.

    >>> x = np.array([1.0, -1.0, 1.0, -1.0])
    >>> explained(np.column_stack([x, np.array([1.0, 1.0, -1.0, -1.0])]), 2.0 * x).round(2)
    array([0.61, 0.17])
    """
    n = len(X)
    centred = rewards - rewards.mean()
    r = centred / max(float(np.sqrt(np.mean(centred * centred))), 1e-12)
    mass = np.einsum("nd,nd->d", X, X) / n
    prior = 1.0 / max(float(mass.sum()), 1e-12)
    certain = n * prior * mass
    theta = prior * (r @ X) / (certain + 1.0)
    found: Floats = mass * (prior / (certain + 1.0) + theta * theta)
    return found
