"""Which terms get a column where there are more than may be: those that are expected to tell most of the reward. No weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from rewardloop.interactions import Floats
from rewardloop.policies.design.term_rows import TermRows
from rewardloop.policies.design.terms import Pair, Seen, Terms, Units
from rewardloop.policies.scaling import Scaler

CANDIDATES: Final = 4_096
"""Terms that are looked at, those first that are most often not 0."""


def screened(seen: Seen, units: Units, limit: int, pairs: Sequence[Pair], rewards: Floats) -> Terms:
    """The `limit` terms that the events (n pairs, n rewards) speak for; all of them where they fit. O(n) for each candidate."""
    wide = Terms.of(seen, units, max(limit, CANDIDATES))
    if len(wide.terms) <= limit + 1:
        return Terms.of(seen, units, limit, crossed=True)
    contexts, actions = Scaler(), Scaler()
    contexts.update(context for context, _ in pairs)
    actions.update(action for _, action in pairs)
    X = TermRows(wide, contexts, actions).events(pairs)
    of_action = np.array([j > 0 for _, j in wide.terms])
    # What is the same for all actions does not tell one from another: it comes last, as it does where all is known by its mass.
    order = np.argsort(-np.where(of_action, explained(X, rewards), -1.0), kind="stable")
    terms = [wide.terms[at] for at in order.tolist() if wide.terms[at] != (0, 0)]
    return wide.only(terms[:limit], limit)


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
