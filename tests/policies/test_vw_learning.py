"""It learns: the digits as a bandit, replayed in batches. Seeds are fixed; floors stand well below what was measured."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.datasets import load_digits

from rewardloop.actions import fixed_actions
from rewardloop.features import Features
from rewardloop.interactions import Floats
from rewardloop.policies.vw.policy import VowpalWabbitPolicy
from vw_worlds import interactions, settings

ARMS = fixed_actions([str(digit) for digit in range(10)])
BATCH, N_BATCHES = 200, 10


@cache
def digits() -> tuple[Floats, npt.NDArray[np.int64]]:
    """The six first principal components, in an order of seed 0."""
    pixels, labels = load_digits(return_X_y=True)
    centred = pixels - pixels.mean(axis=0)
    order = np.random.default_rng(0).permutation(len(labels))
    return (centred @ np.linalg.svd(centred, full_matrices=False)[2][:6].T)[order], labels[order]


def named(matrix: Floats, name: Callable[[int], str] = lambda column: f"component {column}") -> list[Features]:
    return [{name(column): value for column, value in enumerate(row)} for row in matrix.tolist()]


def late_reward(contexts: list[Features], exploration: str = "regcbopt", *, low: float = 0.0, high: float = 1.0) -> float:
    """Share of right decisions in the second half of the batches, with a floor of 0.05 and one replay after each."""
    labels, dice = digits()[1], np.random.default_rng(1)
    policy = VowpalWabbitPolicy.new(settings(exploration, actions=ARMS.ids, bits=20), seed=0)
    right = np.zeros(N_BATCHES)
    for batch in range(N_BATCHES):
        rows = np.arange(batch * BATCH, (batch + 1) * BATCH) % len(labels)
        offered = [contexts[row] for row in rows]
        pmf = 0.95 * policy.pmf_many(offered, [ARMS] * BATCH).reshape(BATCH, 10) + 0.005
        chosen = (pmf.cumsum(axis=1) > dice.random((BATCH, 1))).argmax(axis=1)
        hit = chosen == labels[rows]
        right[batch] = hit.mean()
        reward = low + (high - low) * hit
        logged = interactions(offered, [ARMS] * BATCH, chosen, reward, pmf[np.arange(BATCH), chosen])
        policy.learn(logged)
        policy.relearn(logged)
    return float(right[N_BATCHES // 2 :].mean())


@pytest.mark.parametrize(("exploration", "floor"), [("regcbopt", 0.6), ("squarecb", 0.6), ("egreedy", 0.55), ("bag", 0.5)])
def test_the_digits_are_learned(exploration: str, floor: float) -> None:
    assert late_reward(named(digits()[0]), exploration) > floor


@cache
def usual() -> float:
    return late_reward(named(digits()[0]))


def test_integer_names_are_harmless() -> None:
    assert late_reward(named(digits()[0], str)) > usual() - 0.02


def test_names_in_any_script_are_harmless() -> None:
    assert late_reward(named(digits()[0], lambda column: f"成分 {column}:|\0")) > usual() - 0.02


def test_raw_inputs_learn_as_well_as_scaled_ones() -> None:
    raw = digits()[0]
    units = np.array([1e6, 1.0, 1e-3, 50.0, 1.0, 1e4])
    scaled = (raw - raw.mean(axis=0)) / raw.std(axis=0)
    wild = late_reward(named(raw * units + 100 * units))
    assert abs(wild - late_reward(named(scaled))) < 0.03
    assert abs(wild - usual()) < 0.03


@pytest.mark.parametrize(("low", "high"), [(-1.0, 1.0), (0.0, 100.0)])
def test_the_range_of_the_reward_is_harmless(low: float, high: float) -> None:
    assert abs(late_reward(named(digits()[0]), low=low, high=high) - usual()) < 0.03
