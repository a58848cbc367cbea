"""Replays of logs whose truth is known: what they estimate, how many events they use, what they refuse. Seeded."""

from __future__ import annotations

import numpy as np
import pytest

from rewardloop.actions import ActionSet, fixed_actions, parse_actions
from rewardloop.comparing import Replayed, SplitDesign, replayed
from rewardloop.errors import InvalidInput
from rewardloop.interactions import Interactions
from rewardloop.reports.replayed import replayed_facts
from rewardloop.worlds.logged import LoggedWorld

ARMS = fixed_actions(["a", "b"])


def logged(n: int, *, rare: float = 0.5, personal: bool = True, arms: ActionSet = ARMS) -> LoggedWorld:
    """`b` is taken with probability `rare`; it is right for the young, `a` for the old, or earns .3 against .1 of anybody."""
    generator = np.random.default_rng(0)
    young, action = generator.random(n) < 0.5, (generator.random(n) < rare).astype(np.int64)
    rate = np.where((action == 1) == young, 0.6, 0.1) if personal else np.where(action == 1, 0.3, 0.1)
    pmf = np.tile([1 - rare, rare], n)
    return LoggedWorld("log", Interactions(
        [str(i) for i in range(n)], [{"young": float(each)} for each in young], [arms] * n, action,
        np.where(action == 1, rare, 1 - rare), (generator.random(n) < rate).astype(float), pmf, np.arange(n + 1) * 2,
        np.zeros(n), np.arange(n),
    ), arms)  # fmt: skip


def replay(world: LoggedWorld, runs: int = 6) -> Replayed:
    return replayed(world, ["lints"], runs=runs, seed=0, design=SplitDesign())


def weighted(world: LoggedWorld, runs: int) -> Replayed:
    return replayed(world, ["lints"], runs=runs, seed=0, design=SplitDesign(), replay="importance")


@pytest.mark.parametrize("rare", [0.5, 0.1])
def test_where_the_right_arm_depends_on_the_visitor_the_bandit_earns_more(rare: float) -> None:
    """The best arm for everybody earns .35, the best for each .6, whatever the log did."""
    found = replay(logged(12_000, rare=rare))
    assert found.n_used == pytest.approx(12_000 * rare, rel=0.1)
    assert found.ab_test.mean_reward.value == pytest.approx(0.35, abs=0.04)
    assert found.bandits[0].mean_reward.value > 0.5
    assert found.bandits[0].gain is not None
    assert found.bandits[0].gain.lower > 0
    assert f"of 12,000 events could be used, as the log took some action with probability {rare:g}." in found.summary


def test_where_one_arm_is_best_the_test_finds_it_and_the_bandit_gains_little() -> None:
    found = replay(logged(4_000, personal=False))
    assert (found.significant, found.winners["b"]) == (1.0, 1.0)
    assert found.ab_test.mean_reward.value == pytest.approx(0.3, abs=0.04)
    assert found.logged == pytest.approx(0.2, abs=0.02)
    assert "too close to call" in found.summary


def test_the_same_seed_gives_the_same_numbers_and_another_others() -> None:
    world = logged(1_000)
    assert replay(world, 2) == replay(world, 2)
    assert replayed(world, ["lints"], runs=2, seed=1, design=SplitDesign()) != replay(world, 2)


@pytest.mark.parametrize("rare", [0.5, 0.1])
def test_weighted_by_importance_every_event_counts(rare: float) -> None:
    """The truths of the test above; the weights of a rare arm leave fewer events' worth, and say so."""
    found = weighted(logged(4_000, rare=rare), 6)
    assert found.replay == "importance"
    assert found.ab_test.mean_reward.value == pytest.approx(0.35, abs=0.05)
    bandit = found.bandits[0]
    assert bandit.mean_reward.value > 0.5
    assert bandit.gain is not None
    assert bandit.gain.lower > 0
    assert bandit.ess is not None
    assert found.n_used <= bandit.ess < 4_000 * (1.0 if rare == 0.5 else 0.4)
    assert "Weighted, 4,000 events tell as much as" in found.summary
    assert "by their weights; ess: A/B test" in replayed_facts(found)[0][1]


def test_weighted_the_test_finds_the_best_arm_and_the_seed_decides() -> None:
    world = logged(2_000, personal=False)
    found = weighted(world, 3)
    assert found.winners["b"] == 1.0
    assert found.ab_test.mean_reward.value == pytest.approx(0.29, abs=0.05)
    assert found == weighted(world, 3)


def test_weights_that_leave_next_to_nothing_are_refused() -> None:
    with pytest.raises(InvalidInput, match=r"4,000 events tell as much as \d+; 200 are needed"):
        weighted(logged(4_000, rare=0.005), 2)


def test_what_cannot_be_replayed_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"use about 40 of 4,000 events, .* probability 0.01; 200 are needed"):
        replay(logged(4_000, rare=0.01))
    with pytest.raises(InvalidInput, match="the same in each event"):
        replay(logged(1_000, arms=parse_actions(b'[{"id": "a", "features": {"x": 1}}, "b"]')))
