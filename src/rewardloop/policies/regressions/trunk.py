"""A hidden layer: trained on the rewards of the chosen arms, then a fixed map of contexts. No posterior and no exploration."""

from __future__ import annotations

from math import sqrt
from typing import Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from rewardloop.interactions import Floats, Ints
from rewardloop.policies.scaling import LIMIT

_BATCH: Final = 64
_EPOCHS: Final = 20
_STEPS: Final = (200, 2_000)
_RATE: Final = 0.005
_DECAY: Final = 1e-4
_MEAN, _SQUARE, _TINY = 0.9, 0.999, 1e-8
LENGTH: Final = 8.0
"""What the squares of a typical event's hidden units sum up to: as much as its columns do, without products."""


class Examples(NamedTuple):
    """What a layer is trained on."""

    columns: Floats
    """(n, p), scaled."""
    arms: Ints
    rewards: Floats
    """(n,) of those arms, in [0, 1]."""


class Trunk(NamedTuple):
    """H rectified units of p columns, each centred and scaled by what it was over the events it was trained on.

    >>> Trunk.blank(2).hidden(np.ones((3, 5))).shape
    (3, 2)
    """

    weights: Floats
    """(p, H)"""
    bias: Floats
    """(H,)"""
    mean: Floats
    """(H,)"""
    scale: Floats
    """(H,) 0 for a unit that does not vary."""

    @classmethod
    def blank(cls, n_hidden: int) -> Self:
        """One that has seen nothing: its units are 0."""
        return cls(np.zeros((0, n_hidden)), np.zeros(n_hidden), np.zeros(n_hidden), np.zeros(n_hidden))

    @classmethod
    def trained(cls, examples: Examples, n_arms: int, n_hidden: int, rng: np.random.Generator) -> Self:
        """To tell each arm's reward; the output layer is thrown away.

        Squared error, Adam (Kingma & Ba, 2015) with decoupled decay, rate falling to 0.
        """
        Z, arms, rewards = examples
        network = _Network(Z.shape[1], n_hidden, n_arms, rng)
        n_steps = int(np.clip(_EPOCHS * len(Z) // _BATCH, *_STEPS))
        for step in range(n_steps):
            rows = rng.integers(len(Z), size=_BATCH)
            network.step(Z[rows], arms[rows], rewards[rows], _RATE * (1.0 - step / n_steps))
        hidden = _rectified(Z, network.weights, network.bias)
        deviation = hidden.std(axis=0)
        varies = deviation > 1e-6
        scale = np.where(varies, _unit(varies) / np.where(varies, deviation, 1.0), 0.0)
        return cls(network.weights.copy(), network.bias.copy(), hidden.mean(axis=0), scale)

    @property
    def n_inputs(self) -> int:
        """p; columns behind them are not looked at."""
        return len(self.weights)

    def hidden(self, Z: Floats) -> Floats:
        """(n, H) of (n, ≥ p) scaled columns; clipped like any column."""
        units: Floats = (_rectified(Z[:, : self.n_inputs], self.weights, self.bias) - self.mean) * self.scale
        limit = LIMIT * _unit(self.scale)
        return np.clip(units, -limit, limit)


class _Network:
    """Two layers, and Adam's moments; all weights stand in one vector, so that a step is a few operations on it."""

    def __init__(self, n_inputs: int, n_hidden: int, n_arms: int, rng: np.random.Generator) -> None:
        shapes = [(n_inputs, n_hidden), (n_hidden,), (n_arms, n_hidden), (n_arms,)]
        self._all, self._slope = (np.zeros(sum(int(np.prod(shape)) for shape in shapes)) for _ in range(2))
        self._first, self._second, self._n_steps = np.zeros_like(self._all), np.zeros_like(self._all), 0
        self.weights, self.bias, self._heads, self._offsets = _views(self._all, shapes)
        self._slopes = _views(self._slope, shapes)
        self.weights[:] = rng.standard_normal(self.weights.shape) * np.sqrt(2.0 / max(1, n_inputs))
        self._offsets[:] = 0.5

    def step(self, Z: Floats, arms: Ints, rewards: Floats, rate: float) -> None:
        """One step down the squared error of a batch."""
        self._differentiate(Z, arms, rewards)
        self._n_steps += 1
        self._first += (1.0 - _MEAN) * (self._slope - self._first)
        self._second += (1.0 - _SQUARE) * (np.square(self._slope) - self._second)
        spread = np.sqrt(self._second / (1.0 - _SQUARE**self._n_steps)) + _TINY
        self._all -= rate * (self._first / (1.0 - _MEAN**self._n_steps) / spread + _DECAY * self._all)

    def _differentiate(self, Z: Floats, arms: Ints, rewards: Floats) -> None:
        hidden, heads = _rectified(Z, self.weights, self.bias), self._heads[arms]
        error = (np.einsum("nh,nh->n", hidden, heads) + self._offsets[arms] - rewards) / len(Z)
        back = error[:, None] * heads * (hidden > 0)
        chosen = np.zeros((len(Z), len(self._heads)))
        chosen[np.arange(len(Z)), arms] = error
        for into, slope in zip(self._slopes, (Z.T @ back, back.sum(axis=0), chosen.T @ hidden, chosen.sum(axis=0)), strict=True):
            into[...] = slope


def _unit(scales: npt.NDArray[np.generic]) -> float:
    """What a z-score of 1 of a hidden unit becomes; units of scale 0 do not count."""
    return sqrt(LENGTH / max(1, int(np.count_nonzero(scales))))


def _rectified(Z: Floats, weights: Floats, bias: Floats) -> Floats:
    return np.maximum(Z @ weights + bias, 0.0)


def _views(flat: Floats, shapes: list[tuple[int, ...]]) -> list[Floats]:
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])[:-1]
    return [part.reshape(shape) for part, shape in zip(np.split(flat, ends), shapes, strict=True)]
