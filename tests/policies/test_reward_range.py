"""Rewards in any declared or seen range become the same units."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewardloop.policies.rewards import RewardRange, RewardRangeState

finite = st.floats(-1e6, 1e6)


@given(st.lists(finite, min_size=1, max_size=30), finite)
def test_units_and_costs_stay_in_the_unit_interval(seen: list[float], reward: float) -> None:
    learned = RewardRange()
    learned.update(np.array(seen))
    unit, cost = learned.to_unit(np.array([reward])), learned.to_cost(np.array([reward]))
    assert 0 <= unit[0] <= 1
    assert unit + cost == 1


@pytest.mark.parametrize(("low", "high"), [(0, 1), (-1, 1), (0, 100)])
def test_every_range_gives_the_same_costs(low: float, high: float) -> None:
    unit = np.linspace(0, 1, 11)
    rewards = low + (high - low) * unit
    learned = RewardRange()
    learned.update(rewards)
    for reward_range in (RewardRange((low, high)), learned):
        assert reward_range.to_cost(rewards) == pytest.approx(1 - unit)


def test_a_declared_range_never_moves() -> None:
    declared = RewardRange((0.0, 1.0))
    declared.update(np.array([-7.0, 9.0]))
    assert (declared.low, declared.high) == (0, 1)


def test_before_two_different_rewards_every_reward_is_one_half() -> None:
    learned = RewardRange()
    assert learned.to_cost(np.array([3.0])).tolist() == [0.5]
    learned.update(np.array([3.0]))
    assert learned.to_cost(np.array([3.0])).tolist() == [0.5]
    learned.update(np.array([4.0]))
    assert learned.to_cost(np.array([3.0])).tolist() == [1.0]


@pytest.mark.parametrize("made", [RewardRange(), RewardRange((-1.0, 2.0))])
def test_state_survives_json(made: RewardRange) -> None:
    again = RewardRange.from_state(msgspec.json.decode(msgspec.json.encode(made.state()), type=RewardRangeState))
    for reward_range in (made, again):
        reward_range.update(np.array([0.25, 7.0]))
    assert again.state() == made.state()
