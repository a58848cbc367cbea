"""Marginals of a ranking, against counting every ranking."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rewardloop.interactions import Floats
from rewardloop.policies.plackett_luce import position_marginals


def counted(pmf: list[float], top_k: int) -> Floats:
    found = np.zeros((top_k, len(pmf)))
    for ranking in permutations(range(len(pmf)), top_k):
        probability, left = 1.0, 1.0
        for action in ranking:
            probability *= pmf[action] / left
            left = sum(pmf[i] for i in range(len(pmf)) if i not in ranking[: ranking.index(action) + 1])
            if left == 0.0:
                break
        for position, action in enumerate(ranking):
            found[position, action] += probability
    return found


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(1e-4, 1.0), min_size=2, max_size=6), st.data())
def test_marginals_equal_counting_every_ranking(weights: list[float], data: st.DataObject) -> None:
    pmf = [weight / sum(weights) for weight in weights]
    top_k = data.draw(st.integers(1, len(pmf)))
    assert np.abs(position_marginals(pmf, top_k) - counted(pmf, top_k)).max() < 1e-10


def test_each_position_sums_to_one_among_many_actions() -> None:
    weights = np.geomspace(1.0, 1e-7, 60)
    marginals = position_marginals((weights / weights.sum()).tolist(), 8)
    assert np.abs(marginals.sum(axis=1) - 1.0).max() < 1e-10
    assert np.abs(marginals[0] - weights / weights.sum()).max() < 1e-10


def test_an_action_that_is_never_drawn_stands_nowhere() -> None:
    assert position_marginals([0.5, 0.0, 0.5], 2)[:, 1].tolist() == [0.0, 0.0]
    with pytest.raises(ValueError, match="at most 2"):
        position_marginals([0.5, 0.0, 0.5], 3)
