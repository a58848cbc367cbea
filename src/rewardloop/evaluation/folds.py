"""Which fold an event belongs to, for cross-fitting. Deterministic: no generator, no time."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np

from rewardloop.ids import decisions_of
from rewardloop.interactions import Floats, Ints

N_FOLDS = 5


def folds(event_ids: Sequence[str], seed: int, n_folds: int = N_FOLDS) -> Ints:
    """(n,) folds from 0, of equal size to ±1, drawn by a hash of the id: the order of the events does not matter.

    The slots of a decision fall into one fold, so that no model has seen its other slots; sizes then differ by decisions.

    >>> first = folds(["a", "b", "c", "d"], seed=0, n_folds=2)
    >>> sorted(first.tolist()), folds(["d", "c", "b", "a"], seed=0, n_folds=2).tolist() == first.tolist()[::-1]
    ([0, 0, 1, 1], True)
    """
    if (decisions := decisions_of(event_ids)) is not None:
        units = list(dict.fromkeys(decisions))
        of_unit = dict(zip(units, folds(units, seed, min(n_folds, max(2, len(units)))).tolist(), strict=True))
        return np.array([of_unit[decision] for decision in decisions], dtype=np.int64)
    salt = zlib.crc32(b"%d" % seed)
    hashes = np.array([zlib.crc32(event_id.encode(), salt) for event_id in event_ids], dtype=np.int64)
    rank = np.empty(len(hashes), dtype=np.int64)
    rank[np.argsort(hashes, kind="stable")] = np.arange(len(hashes))
    return rank % n_folds


def means_of_the_others(reward: Floats, fold: Ints) -> Floats:
    """(n_folds,) what a model that knows nothing predicts in each fold.

    >>> means_of_the_others(np.array([1.0, 2.0, 6.0]), np.array([0, 1, 1]))
    array([4., 1.])
    """
    n, total = np.bincount(fold), np.bincount(fold, reward)
    return np.asarray((total.sum() - total) / np.maximum(n.sum() - n, 1), dtype=np.float64)
