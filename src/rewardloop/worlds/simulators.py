"""Simulated worlds over fixed arms, each with one difficulty. K arms, P features; rewards are 0 or 1.

The mean of arm k at x is a logistic function of x·θ_k; θ moves, or does not. Which coefficients a world has is a function of its
name alone, so that every seed plays the same world with other visitors.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from rewardloop.actions import ActionSet, fixed_actions
from rewardloop.features import Features
from rewardloop.interactions import Floats
from rewardloop.worlds.stream import Stream, bernoulli_stream

N_ARMS: Final = 5
N_FEATURES: Final = 8
MEAN_DELAY: Final = 500.0
PERIODS: Final = 4
_STEEP = 1.5

Coefficients = Callable[[Floats, Floats], Floats]
"""(P + 1, K) of two fixed coefficient matrices and (n,) how much of the run has passed → (n, P + 1, K)."""


@dataclass(frozen=True, slots=True)
class Simulator:
    """One simulated world."""

    name: str
    coefficients: Coefficients
    mean_delay: float = 0.0

    @property
    def arms(self) -> ActionSet:
        return fixed_actions([f"arm {k + 1}" for k in range(N_ARMS)])

    def stream(self, n: int, generator: np.random.Generator) -> Stream:
        X = np.column_stack([np.ones(n), generator.normal(size=(n, N_FEATURES))])
        theta = self._theta(np.arange(n) / max(n, 1))
        logits = np.einsum("np,npk->nk", X, np.broadcast_to(theta, (n, N_FEATURES + 1, N_ARMS)))
        contexts: list[Features] = [{f"x{i}": value for i, value in enumerate(row)} for row in X[:, 1:].tolist()]
        return bernoulli_stream(contexts, 1.0 / (1.0 + np.exp(-_STEEP * logits)), generator)

    def skyline(self) -> float | None:
        return None

    def _theta(self, passed: Floats) -> Floats:
        fixed = np.random.default_rng(zlib.crc32(self.name.encode()))
        first, second = fixed.normal(size=(2, N_FEATURES + 1, N_ARMS)) / np.sqrt(N_FEATURES / 2)
        return self.coefficients(np.stack([first, second]), passed)


def _static(theta: Floats, passed: Floats) -> Floats:
    return theta[:1]


def _drifting(theta: Floats, passed: Floats) -> Floats:
    """From the one to the other, evenly."""
    w = passed[:, None, None]
    moved: Floats = (1 - w) * theta[0] + w * theta[1]
    return moved


def _seasonal(theta: Floats, passed: Floats) -> Floats:
    """Between the two and back, four times, without a feature that tells the season."""
    w = np.sin(2 * np.pi * PERIODS * passed)[:, None, None]
    moved: Floats = (theta[0] + w * theta[1]) / np.sqrt(1.5)
    return moved


def _changing(theta: Floats, passed: Floats) -> Floats:
    """Half way, at once: what was the best arm becomes the worst."""
    moved: Floats = np.where(passed < 0.5, 1.0, -1.0)[:, None, None] * theta[0]
    return moved


def _adversarial(theta: Floats, passed: Floats) -> Floats:
    """Stochastic with an adversary (Zimmert & Seldin, 2021): between phases all arms pay more, then less; the gaps stay.

    Phases grow by 1.6. Who compares an arm with its own past is fooled.
    """
    phase = np.floor(np.log(np.maximum(passed * 1_000, 1.0)) / np.log(1.6)).astype(np.int64)
    moved = np.repeat(theta[:1], len(passed), axis=0)
    moved[:, 0, :] += np.where(phase % 2 == 0, 1.5, -1.5)[:, None]
    return moved


SIMULATORS: Final = {
    simulator.name: simulator
    for simulator in (
        Simulator("sim:static", _static),
        Simulator("sim:drifting", _drifting),
        Simulator("sim:changing", _changing),
        Simulator("sim:seasonal", _seasonal),
        Simulator("sim:delayed", _static, MEAN_DELAY),
        Simulator("sim:adversarial", _adversarial),
    )
}
