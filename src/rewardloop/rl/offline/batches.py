"""Logged episodes as what a learner draws from: transitions, scaled, with what was earned from each on."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from rewardloop.errors import InvalidInput
from rewardloop.interactions import Floats
from rewardloop.rl.logged.episodes import Logged
from rewardloop.rl.logged.files import read_episodes


class Batch(NamedTuple):
    """B transitions."""

    seen: Tensor
    """(B, d)"""
    action: Tensor
    """(B,) numbers, or (B, k) from −1 to 1 in the box."""
    reward: Tensor
    """In units of the spread of what is earned from a step on: hyperparameters then mean the same whatever rewards are."""
    ahead: Tensor
    """Discounted sum of this and all later rewards, in the same units."""
    after: Tensor
    """(B, d)"""
    goes_on: Tensor
    """1 where what comes after counts; 0 where the episode ended."""
    possible: Tensor
    """(B, K) what is possible after; (B, 0) for continuous actions."""


class Shape(NamedTuple):
    """What a network must take and give."""

    mean: tuple[float, ...]
    """(d,) of the observations, and their deviation."""
    deviation: tuple[float, ...]
    n_arms: int
    """0: continuous."""
    low: tuple[float, ...]
    high: tuple[float, ...]

    @property
    def n_outputs(self) -> int:
        """Numbers a policy network gives: log-odds, or a location for each continuous action."""
        return self.n_arms or len(self.low)


class Episodes:
    """The transitions in memory, as float32. Those after which nobody wrote down what was seen, though it went on, are left out."""

    def __init__(self, logged: Logged, shape: Shape, gamma: float) -> None:
        ends = logged.is_last
        terminated = np.zeros(len(ends), bool)
        terminated[ends] = logged.terminated
        kept = ~ends | terminated if logged.last is None else np.ones(len(ends), bool)
        ahead = _ahead(logged, gamma)
        scale = max(float(ahead.std()), 1e-6)
        possible = np.ones((len(ends), shape.n_arms), bool)
        if logged.masks is not None:
            possible[:-1] = logged.masks[1:]
            possible[ends] = True
        columns = (
            logged.observation,
            _scaled(logged, shape) if not shape.n_arms else logged.action,
            logged.reward / scale,
            ahead / scale,
            logged.following,
            ~terminated,
            possible,
        )
        self._columns = [torch.from_numpy(np.ascontiguousarray(column[kept])) for column in columns]
        self._n = int(kept.sum())
        if not self._n:
            raise InvalidInput("Expected a step whose end is known, found none: say what was seen last", at="--episodes")

    def batch(self, size: int, seed: int, step: int) -> Batch:
        """The batch of a step is a function of the seed and the step: whoever resumes draws the same."""
        rows = torch.from_numpy(np.random.default_rng([seed, step]).integers(self._n, size=size))
        seen, action, reward, ahead, after, goes_on, possible = (column[rows] for column in self._columns)
        chosen = action if action.dtype == torch.int64 else action.float()
        return Batch(seen.float(), chosen, reward.float(), ahead.float(), after.float(), goes_on.float(), possible)


def read(path: str) -> tuple[Logged, str]:
    """The episodes a plan names, and a digest of the file. Raises `InvalidInput`."""
    if not path:
        raise InvalidInput(
            "Expected logged episodes to learn from: a file of `rl evaluate --record` or `rl episodes`", at="--episodes"
        )
    logged = read_episodes(Path(path))
    with Path(path).open("rb") as file:
        return logged, hashlib.file_digest(file, "sha256").hexdigest()


def moments(logged: Logged) -> tuple[Floats, Floats]:
    """Mean and deviation of each number of an observation; 1 where it never changes."""
    deviation = logged.observation.std(axis=0)
    return logged.observation.mean(axis=0), np.where(deviation > 1e-8, deviation, 1.0)


def _ahead(logged: Logged, gamma: float) -> Floats:
    earned = logged.reward.copy()
    ends = logged.is_last
    for t in range(len(earned) - 2, -1, -1):
        if not ends[t]:
            earned[t] += gamma * earned[t + 1]
    return earned


def _scaled(logged: Logged, shape: Shape) -> Floats:
    low, high = np.array(shape.low), np.array(shape.high)
    scaled: Floats = np.clip(2 * (logged.action - low) / (high - low) - 1, -1, 1)
    return scaled
