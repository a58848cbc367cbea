"""How much each feature's products may weigh: chosen by the first events, for all products of a name together. No weights."""

from __future__ import annotations

from typing import Final

import numpy as np

from rewardloop.interactions import Floats, Ints

_ROUNDS: Final = 3
_BELIEVED: Final = 4.0
"""Products of this much certainty say already that a name matters as much as any other: few events move little."""
_LEAST: Final = 1 / 64
"""Of the variance of what matters most: no name is given up, it may matter later."""
_MOST: Final = 4.0
"""No variance grows more."""


def relevance(X: Floats, rewards: Floats, contexts: Ints, actions: Ints) -> Floats:
    """(d,) > 0, by which columns X (n, d) are to be multiplied: standard deviations of weights, where 1 was believed before.

    Column c is a product of the features `contexts[c]` and `actions[c]` (d,), numbered, and has the variance that its context's
    feature has times that of its action's; the first column, the constant, keeps 1. These variances make the rewards (n,) likelier,
    by three steps of MacKay's fixed point (1992, "Bayesian interpolation"), so that a feature that says nothing drowns none that
    does. What some lose the others get, up to four times as much: rewards of all together are believed to vary as before, so that
    exploring is no narrower. O(n² d + n³).

    >>> rng = np.random.default_rng(1)
    >>> X, numbers = rng.normal(size=(300, 40)), np.arange(40)
    >>> found = relevance(X, X[:, :20].sum(axis=1), numbers // 20, 0 * numbers)
    >>> bool(found[1:20].min() > 1.0 and found[20:].max() < 0.5)
    True
    """
    centred = rewards - rewards.mean()
    of_context, of_action = np.ones(contexts.max() + 1), np.ones(actions.max() + 1)
    if not centred.any():
        return np.ones(X.shape[1])
    for _ in range(_ROUNDS):
        told, certain = _told(X, centred, of_context[contexts] * of_action[actions])
        of_context *= _ratio(told, certain, contexts)
        of_action *= _ratio(told, certain, actions)
    return np.sqrt(_as_wide(_least(of_context)[contexts] * _least(of_action)[actions], np.einsum("nd,nd->d", X, X)))


def _told(X: Floats, y: Floats, variance: Floats) -> tuple[Floats, Floats]:
    """(d,) how far each weight is from 0, in units of what it may be, and how far it would be if the variances were right.

    Both are parts of the derivative of log p(y), y ~ N(0, σ² (I + X diag(variance) Xᵀ)) with the likeliest σ².
    """
    K = np.eye(len(X)) + (X * variance) @ X.T
    inverse = np.linalg.inv(K)
    dual = inverse @ y
    told, certain = variance * np.square(dual @ X), variance * np.einsum("nd,nd->d", X, inverse @ X)
    told *= len(y) / float(y @ dual)
    told[0] = certain[0] = 0.0
    return told, certain


def _ratio(told: Floats, certain: Floats, numbers: Ints) -> Floats:
    found: Floats = (np.bincount(numbers, told) + _BELIEVED) / (np.bincount(numbers, certain) + _BELIEVED)
    return found


def _least(variances: Floats) -> Floats:
    found: Floats = np.clip(variances / variances.max(), _LEAST, 1.0)
    return found


def _as_wide(variances: Floats, mass: Floats) -> Floats:
    """As much of the rewards' variance (d,) as if each were 1; the constant's is."""
    others = slice(1, None)
    kept = float(mass[others] @ variances[others])
    wide: Floats = variances * min(_MOST, float(mass[others].sum()) / kept if kept > 0.0 else 1.0)
    wide[0] = 1.0
    return wide
