"""Logs with a known truth: the digits as a bandit, and small hand-made ones. Everything follows from the generator passed in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
from sklearn.datasets import load_digits

from rewardloop.actions import ActionSet, fixed_actions
from rewardloop.features import Features
from rewardloop.interactions import Floats, Interactions

N_ARMS = 10
ARMS = fixed_actions([str(arm) for arm in range(N_ARMS)])
_COMPONENTS = 10


@dataclass(frozen=True)
class Policy:
    """A distribution over the ten arms for every digit: (1,797, 10). `value` is its true mean reward."""

    pmf: Floats
    value: float


@cache
def _digits() -> tuple[Sequence[Features], npt.NDArray[np.int64]]:
    pixels, labels = load_digits(return_X_y=True)
    centred = pixels - pixels.mean(axis=0)
    principal = centred @ np.linalg.svd(centred, full_matrices=False)[2][:_COMPONENTS].T
    names = [f"component {i}" for i in range(_COMPONENTS)]
    return [dict(zip(names, row, strict=True)) for row in principal.tolist()], labels


def policy(accuracy: float, epsilon: float, seed: int = 0) -> Policy:
    """Right on this share of the digits and one digit too high on the others (nested by accuracy), with a share `epsilon` uniform.

    True value: (1 − ε)·accuracy + ε/10.
    """
    _, labels = _digits()
    rank = np.random.default_rng(seed).permutation(len(labels)) / len(labels)
    guess = np.where(rank < accuracy, labels, (labels + 1) % N_ARMS)
    pmf = np.full((len(labels), N_ARMS), epsilon / N_ARMS)
    pmf[np.arange(len(labels)), guess] += 1 - epsilon
    return Policy(pmf, float(pmf[np.arange(len(labels)), labels].mean()))


def always(arm: int, floor: float = 0.0) -> Policy:
    """One arm for everyone."""
    _, labels = _digits()
    pmf = np.full((len(labels), N_ARMS), floor / N_ARMS)
    pmf[:, arm] += 1 - floor
    return Policy(pmf, float(pmf[np.arange(len(labels)), labels].mean()))


def log(n: int, logging: Policy, generator: np.random.Generator, *others: Policy) -> tuple[Interactions, list[Floats]]:
    """n digits drawn with replacement, decided by `logging`; and the flat distributions of other policies on the same events."""
    contexts, labels = _digits()
    drawn = generator.integers(len(labels), size=n)
    pmf = logging.pmf[drawn]
    action = (pmf.cumsum(axis=1) > generator.random((n, 1))).argmax(axis=1)
    reward = (action == labels[drawn]).astype(np.float64)
    logged = interactions(pmf, action, reward, contexts=[contexts[i] for i in drawn], actions=[ARMS] * n)
    return logged, [other.pmf[drawn].ravel() for other in others]


def interactions(
    pmf: npt.ArrayLike,
    action: npt.ArrayLike,
    reward: npt.ArrayLike,
    *,
    contexts: Sequence[Features] | None = None,
    actions: Sequence[ActionSet] | None = None,
) -> Interactions:
    """Columns from a matrix (n, K) of logged distributions."""
    matrix = np.asarray(pmf, dtype=np.float64)
    n, k = matrix.shape
    chosen = np.asarray(action, dtype=np.int64)
    return Interactions(
        [f"e{i}" for i in range(n)],
        contexts if contexts is not None else [{}] * n,
        actions if actions is not None else [fixed_actions([str(arm) for arm in range(k)])] * n,
        chosen,
        matrix[np.arange(n), chosen],
        np.asarray(reward, dtype=np.float64),
        matrix.ravel(),
        np.arange(n + 1) * k,
        np.linspace(0, 1, n, endpoint=False),
        np.arange(n),
    )
