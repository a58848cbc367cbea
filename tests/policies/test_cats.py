"""Vowpal Wabbit's CATS behind the contract of policies: the same density as its own, drawn, logged, learned from, replayed."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import msgspec
import numpy as np
import pytest
from scipy.stats import chisquare, kstest
from vowpalwabbit import Workspace

from rewardloop.actions import ActionSet, celled_actions, fixed_actions
from rewardloop.cells import Cells
from rewardloop.clock import ManualClock
from rewardloop.errors import CorruptModel, InvalidInput, InvalidSettings
from rewardloop.features import Features
from rewardloop.interactions import Interactions
from rewardloop.loop.experiment import Experiment
from rewardloop.policies import Policy, load_policy, new_policy
from rewardloop.policies.vw.cats import CatsPolicy
from rewardloop.policies.vw.statistics import Statistics
from rewardloop.settings import ContinuousActions, ExperimentSettings, LearnerSettings, PolicySettings, RewardSettings
from rewardloop.testing.policy import PolicyContract
from rewardloop.worlds.setpoint import HIGH, LOW, Setpoint

RANGE = Cells(LOW, HIGH, 16)
OFFERED = celled_actions(RANGE)


def asking(cells: int = 16, bandwidth: int = 1, arguments: str = "", **learner: object) -> ExperimentSettings:
    learning = msgspec.convert({"bits": 16, "arguments": arguments, **learner}, LearnerSettings)
    policy = PolicySettings(exploration="cats", bandwidth=bandwidth, learner=learning)
    return ExperimentSettings(experiment="heating", actions=ContinuousActions(low=LOW, high=HIGH, cells=cells), policy=policy)


def at_random(n: int, seed: int = 1) -> Interactions:
    """n uniform decisions in the world of heating."""
    world, rng = Setpoint.new(n, seed), np.random.default_rng(seed)
    cells = rng.integers(0, RANGE.n, n)
    values = RANGE.low + (cells + 0.5) * RANGE.width
    return Interactions(
        event_ids=[str(i) for i in range(n)],
        contexts=list(world.contexts[:n]),
        actions=[OFFERED] * n,
        action=cells,
        probability=np.full(n, 1 / RANGE.n),
        reward=np.array([world.reward(i, value) for i, value in enumerate(values.tolist())]),
        pmf=np.full(n * RANGE.n, 1 / RANGE.n),
        offsets=np.arange(0, n * RANGE.n + 1, RANGE.n),
        sample_prob=rng.random(n),
        closed_at=np.arange(n),
    )


class TestContract(PolicyContract):
    def make_policy(self, seed: int) -> Policy:
        return CatsPolicy.new(asking(5), seed)

    def make_actions(self) -> ActionSet:
        return celled_actions(Cells(LOW, HIGH, 5))


class TestContractCrossed(PolicyContract):
    def make_policy(self, seed: int) -> Policy:
        return CatsPolicy.new(asking(4, bandwidth=0, interactions="quadratic"), seed)

    def make_actions(self) -> ActionSet:
        return celled_actions(Cells(LOW, HIGH, 4))


@pytest.mark.parametrize(("cells", "bandwidth"), [(16, 0), (16, 1), (15, 2), (3, 1)])
def test_the_distribution_is_the_density_of_vowpal_wabbit(cells: int, bandwidth: int) -> None:
    """A tree that learned nothing is a tree too: one event, as good as usual, in a policy and in a workspace of the same range."""
    policy, offered = CatsPolicy.new(asking(cells, bandwidth), 0), celled_actions(Cells(LOW, HIGH, cells))
    one = at_random(1)
    event = Interactions(
        ["e"], [{}], [offered], np.array([0]), np.array([0.2]), np.array([1.0]), np.full(cells, 0.2), np.array([0, cells]),
        one.sample_prob, one.closed_at,
    )  # fmt: skip
    policy.learn(event)
    width = (HIGH - LOW) / cells
    vw = Workspace(
        f"--cats_pdf {cells} --bandwidth {width * (bandwidth + 0.5)} --min_value {LOW} --max_value {HIGH} -l 0.2 -b 16 --quiet"
    )
    vw.learn(f"ca {LOW + width / 2}:0.0:{0.2 / width} |")
    segments = vw.predict("|")
    vw.finish()
    borders = LOW + width * np.arange(cells + 1)
    mass = [sum(d * max(0.0, min(r, b) - max(left, a)) for left, r, d in segments) for a, b in pairwise(borders)]
    assert policy.pmf({}, offered) == pytest.approx(np.array(mass) / sum(mass), abs=1e-5)
    assert sum(p > 0.1 / cells for p in policy.pmf({}, offered)) in range(bandwidth + 1, 2 * bandwidth + 2)


def test_it_learns_what_a_context_wants() -> None:
    data, policy, world = at_random(3_000), CatsPolicy.new(asking(), 0), Setpoint.new(400, 1)
    policy.learn(data)
    middles = RANGE.low + (np.arange(RANGE.n) + 0.5) * RANGE.width
    losses = [[world.loss(i, value) for value in middles.tolist()] for i in range(400)]
    mine = np.mean([np.dot(policy.pmf(world.contexts[i], OFFERED), losses[i]) for i in range(400)])
    assert mine < 0.55 * np.mean(losses)


def test_rewards_that_differ_little_tell_as_much() -> None:
    """All between .4 and .5 of a range from 0 to 1: what is above the mean matters, not how far from 0."""
    data, world = at_random(3_000), Setpoint.new(400, 1)
    policy = CatsPolicy.new(msgspec.structs.replace(asking(), reward=RewardSettings(range=(0, 1))), 0)
    policy.learn(replace(data, reward=0.4 + 0.1 * data.reward))
    middles = RANGE.low + (np.arange(RANGE.n) + 0.5) * RANGE.width
    losses = [[world.loss(i, value) for value in middles.tolist()] for i in range(400)]
    mine = np.mean([np.dot(policy.pmf(world.contexts[i], OFFERED), losses[i]) for i in range(400)])
    assert mine < 0.5 * np.mean(losses)


def test_two_features_decide_together() -> None:
    """Where it is cold what is wanted depends on the building, and where it is warm the other way round: no sum of both tells."""
    rng, n = np.random.default_rng(3), 3_000
    contexts: list[Features] = [{"cold": str(cold), "old": str(old)} for cold, old in rng.integers(0, 2, (n, 2)).tolist()]
    wanted, data = np.array([2 if c["cold"] == c["old"] else 13 for c in contexts]), at_random(n)
    data = replace(data, contexts=contexts, reward=1.0 - abs(data.action - wanted) / 16)
    policy = CatsPolicy.new(asking(), 0)
    policy.learn(data)
    for row in range(20):
        assert sum(policy.pmf(contexts[row], OFFERED)[max(0, wanted[row] - 2) : wanted[row] + 3]) > 0.5


def test_a_model_of_before_means_were_kept_is_read() -> None:
    policy = CatsPolicy.new(asking(), 0)
    policy.learn(at_random(20))
    state = policy._statistics.state()
    raw = msgspec.to_builtins(state)
    del raw["usual"]
    assert Statistics.from_state(msgspec.convert(raw, type(state))).usual == (0, 0.0)


def test_relearning_changes_weights_but_only_after_learning() -> None:
    policy, data = CatsPolicy.new(asking(), 0), at_random(50)
    policy.relearn(data)
    assert policy.pmf({}, OFFERED) == [1 / 16] * 16
    other = CatsPolicy.new(asking(), 0)
    for each in (policy, other):
        each.learn(data)
    other.relearn(data)
    asked = [data.contexts[i] for i in range(50)]
    assert not np.array_equal(policy.pmf_many(asked, [OFFERED] * 50), other.pmf_many(asked, [OFFERED] * 50))


def test_a_model_read_again_learns_on_alike(tmp_path: Path) -> None:
    policy, later = new_policy(asking(), 0), at_random(300, seed=2)
    policy.learn(at_random(500))
    policy.save(tmp_path)
    again = load_policy(tmp_path)
    assert isinstance(again, CatsPolicy)
    for each in (policy, again):
        each.learn(later)
    asked = list(later.contexts)
    assert again.pmf_many(asked, [OFFERED] * 300) == pytest.approx(policy.pmf_many(asked, [OFFERED] * 300), abs=1e-6)


def test_values_come_as_often_as_the_density_that_is_logged_says(tmp_path: Path) -> None:
    """χ² over the cells and Kolmogorov and Smirnov in the likeliest one, of 3,000 decisions; false alarms 1 in 1,000 each."""
    clock, world = ManualClock(), Setpoint.new(400, 1)
    with Experiment.open(asking(), tmp_path, clock=clock) as heating:
        for i in range(400):
            decision = heating.decide(world.contexts[i], event_id=f"e{i}")
            heating.reward(decision.event_id, world.reward(i, decision.values[0]))
        clock.advance(1_000_000)
        heating.join()
        heating.train()
        assert heating.evaluate() is not None
        heating.deploy("heating.1")
        drawn = [heating.decide(world.contexts[0], event_id=f"d{i}") for i in range(3_000)]
        assert heating.audit("d0").same
        best = heating.decide(world.contexts[0], explore=False)
        assert best.density == math.inf
    pmf = drawn[0].pmf
    assert drawn[0].model_id == "heating.1"
    assert min(pmf) >= 0.02 / 16
    assert all(each.density == pytest.approx(each.probability / RANGE.width) for each in drawn)
    assert all(RANGE.cell(each.values[0], "$") == each.action for each in drawn)
    found, top = Counter(each.action for each in drawn), int(np.argmax(pmf))
    assert chisquare([found[i] for i in range(16)], [3_000 * p for p in pmf]).pvalue > 1e-3
    inside = [each.values[0] for each in drawn if each.action == top]
    assert kstest(inside, "uniform", args=(RANGE.low + top * RANGE.width, RANGE.width)).pvalue > 1e-3


def test_other_actions_and_arguments_are_refused(tmp_path: Path) -> None:
    policy = CatsPolicy.new(asking(), 0)
    with pytest.raises(InvalidInput, match="Expected the 16 cells of the range, got 2 other actions"):
        policy.pmf({}, fixed_actions(["a", "b"]))
    with pytest.raises(InvalidSettings, match="Expected continuous actions with `cells`, got others"):
        CatsPolicy.new(ExperimentSettings(experiment="heating", actions=("a", "b")), 0)
    with pytest.raises(InvalidSettings, match="Vowpal Wabbit refused the arguments"):
        CatsPolicy.new(asking(arguments="--nonsense 3"), 0)


def test_a_state_of_other_actions_is_no_model(tmp_path: Path) -> None:
    CatsPolicy.new(asking(), 0).save(tmp_path)
    state = msgspec.json.decode((tmp_path / "vw.json").read_bytes())
    state["settings"]["actions"] = ["a", "b"]
    content = msgspec.json.encode(state)
    (tmp_path / "vw.json").write_bytes(content)
    header = (tmp_path / "policy.json").read_bytes()
    changed = msgspec.json.decode(header)
    changed["files"]["vw.json"] = hashlib.sha256(content).hexdigest()
    (tmp_path / "policy.json").write_bytes(msgspec.json.encode(changed))
    with pytest.raises(CorruptModel):
        load_policy(tmp_path)
