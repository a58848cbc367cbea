"""Forgetting: a world that changes is learned anew, one that does not is not forgotten, and a half-life is what it says."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rewardloop.actions import fixed_actions
from rewardloop.errors import InvalidSettings
from rewardloop.interactions import Interactions
from rewardloop.policies.native.ridge import RidgePolicy
from rewardloop.policies.regressions.forgetting import Watch, WatchState
from rewardloop.policies.regressions.memory import Memory
from rewardloop.policies.regressions.moments import Moments
from rewardloop.settings import ExperimentSettings, parse_settings

ARMS = ("a", "b")


def policy(forgetting: object) -> RidgePolicy:
    mapping = {"experiment": "offers", "actions": ARMS, "policy": {"learner": {"forgetting": forgetting}}}
    return RidgePolicy.new(msgspec.convert(mapping, ExperimentSettings), 0)


def events(n: int, best: str, seed: int = 0) -> Interactions:
    """Uniformly chosen; the best arm pays .9, the other .1."""
    dice = np.random.default_rng(seed)
    action = dice.integers(2, size=n)
    reward = (dice.random(n) < np.where(action == ARMS.index(best), 0.9, 0.1)).astype(np.float64)
    contexts = [{"x": float(x)} for x in dice.normal(size=n)]
    half, offsets = np.full(2 * n, 0.5), np.arange(0, 2 * n + 1, 2)
    return Interactions(
        [str(i) for i in range(n)], contexts, [fixed_actions(ARMS)] * n, action, half[:n], reward, half, offsets, half[:n], action
    )


def each(logged: Interactions, size: int):
    return (logged.take(np.arange(start, min(start + size, len(logged)))) for start in range(0, len(logged), size))


def chance(learned: RidgePolicy, action: str) -> float:
    return learned.pmf({"x": 0.0}, fixed_actions(ARMS))[ARMS.index(action)]


@pytest.mark.parametrize(("forgetting", "recovers"), [("auto", True), (100, True), ("none", False)])
def test_half_way_the_best_arm_changes(forgetting, recovers):
    learned = policy(forgetting)
    for batch in (*each(events(2_000, "a"), 10), *each(events(600, "b", seed=1), 10)):
        learned.learn(batch)
    assert (chance(learned, "b") > 0.9) == recovers


def test_after_a_change_it_explores_again():
    learned = policy("auto")
    for batch in each(events(2_000, "a"), 10):
        learned.learn(batch)
    before = max(learned._regression.posterior({"x": 0.0})[1])
    for batch in each(events(600, "b", seed=1), 10):
        learned.learn(batch)
    assert learned.n_restarts == 1
    assert max(learned._regression.posterior({"x": 0.0})[1]) > 1.5 * before


@pytest.mark.parametrize("seed", range(5))
def test_a_world_that_does_not_change_is_not_forgotten(seed):
    learned, remembering = policy("auto"), policy("none")
    for batch in each(events(3_000, "a", seed=seed), 20):
        learned.learn(batch)
        remembering.learn(batch)
    assert learned.n_restarts == 0
    assert learned.pmf({"x": 0.3}, fixed_actions(ARMS)) == remembering.pmf({"x": 0.3}, fixed_actions(ARMS))


@pytest.mark.parametrize("forgetting", ["auto", 50])
def test_saved_in_the_middle_it_goes_on_alike(tmp_path, forgetting):
    through, saved = policy(forgetting), policy(forgetting)
    changing = [*each(events(1_500, "a"), 25), *each(events(500, "b", seed=1), 25)]
    for batch in changing[:63]:
        through.learn(batch)
        saved.learn(batch)
    saved.save(tmp_path)
    loaded = RidgePolicy.load(tmp_path)
    for batch in changing[63:]:
        through.learn(batch)
        loaded.learn(batch)
    assert through.n_restarts == loaded.n_restarts
    assert (through.n_restarts > 0) == (forgetting == "auto")
    assert through.pmf({"x": 0.3}, fixed_actions(ARMS)) == loaded.pmf({"x": 0.3}, fixed_actions(ARMS))


def test_a_half_life_halves_what_an_event_counts():
    memory = Memory.new(Moments(1, 1), 32)
    memory.resize(1, 2)
    X, arms = np.tile([1.0, 2.0], (33, 1)), np.zeros(33, np.int64)
    memory.add(arms[:1], X[:1], np.ones(1), 0.0, 1.0)
    one = memory.moments.gram.copy()
    left = 32
    while left:
        n = min(memory.step(), left)
        memory.add(arms[:n], np.zeros((n, 2)), np.zeros(n), 0.0, 1.0)
        left -= n
    assert np.allclose(memory.moments.gram, one / 2)


@settings(max_examples=25, deadline=None)
@given(share=st.floats(0.01, 1.0), seed=st.integers(0, 100))
def test_forgetting_keeps_the_inverse(share, seed):
    dice = np.random.default_rng(seed)
    moments = Moments(2, 3)
    moments.add_many(dice.integers(2, size=40), dice.normal(size=(40, 3)), dice.random(40))
    moments.forget(share)
    for arm in range(2):
        assert np.allclose(moments.inverse[arm] @ (moments.gram[arm] + np.eye(3)), np.eye(3))


@settings(max_examples=25, deadline=None)
@given(cuts=st.lists(st.integers(1, 60), min_size=1, max_size=20), seed=st.integers(0, 100))
def test_the_comparison_does_not_depend_on_how_events_are_cut(cuts, seed):
    gains = np.random.default_rng(seed).normal(size=sum(cuts))
    whole, cut = Watch(WatchState()), Watch(WatchState())
    whole.look(gains)
    for part in np.split(gains, np.cumsum(cuts)[:-1]):
        cut.look(part)
    assert whole.state().gain == pytest.approx(cut.state().gain)
    assert whole.state().scatter == pytest.approx(cut.state().scatter)
    assert whole.state().n_all == cut.state().n_recent == len(gains)


@pytest.mark.parametrize("half_life", ["15", "soon", "-1", "100.5"])
def test_a_wrong_half_life_is_refused(half_life):
    with pytest.raises(InvalidSettings, match=r"\$\.policy\.learner\.forgetting"):
        parse_settings(f"actions: 2\npolicy: {{learner: {{forgetting: {half_life}}}}}", "offers.yaml")


def test_vowpal_wabbit_has_no_half_life():
    with pytest.raises(InvalidSettings, match="power_t"):
        parse_settings("policy: {exploration: regcbopt, learner: {forgetting: 100}}", "offers.yaml")
