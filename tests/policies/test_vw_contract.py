"""The laws of a policy, kept by Vowpal Wabbit whatever the exploration, the regression and the kind of actions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rewardloop.actions import ActionSet, parse_actions
from rewardloop.errors import InvalidSettings
from rewardloop.policies.contract import Policy
from rewardloop.policies.vw.policy import VowpalWabbitPolicy
from rewardloop.testing.policy import PolicyContract
from vw_worlds import EXPLORATIONS, events, halves, settings


class TestRegcbopt(PolicyContract):
    def make_policy(self, seed: int) -> Policy:
        return VowpalWabbitPolicy.new(settings("regcbopt"), seed)


class TestDoublyRobustEpsilonGreedy(PolicyContract):
    def make_policy(self, seed: int) -> Policy:
        return VowpalWabbitPolicy.new(settings("egreedy", cb_type="dr"), seed)


class TestBag(PolicyContract):
    def make_policy(self, seed: int) -> Policy:
        return VowpalWabbitPolicy.new(settings("bag"), seed)


class TestSquarecbOverFeatures(PolicyContract):
    def make_policy(self, seed: int) -> Policy:
        return VowpalWabbitPolicy.new(settings("squarecb", actions=None), seed)

    def make_actions(self) -> ActionSet:
        return parse_actions(b'[{"id": "a", "features": {"price": 3}}, {"id": "b"}, {"id": "c", "features": {"colour": "red"}}]')


@pytest.mark.parametrize("exploration", EXPLORATIONS)
@pytest.mark.parametrize("cb_type", ["mtr", "dr", "ips", "dm", "sm"])
def test_memory_and_file_go_on_alike(exploration: str, cb_type: str, tmp_path: Path) -> None:
    try:
        policy = VowpalWabbitPolicy.new(settings(exploration, cb_type=cb_type), seed=3)
    except InvalidSettings:
        pytest.skip("Vowpal Wabbit does not offer it")
    before, rest = halves(events(400), 200)
    later, asked = halves(rest, 150)
    policy.learn(before)
    policy.save(tmp_path)
    loaded = VowpalWabbitPolicy.load(tmp_path)
    for one in (policy, loaded):
        one.learn(later)
    np.testing.assert_allclose(*(one.pmf_many(asked.contexts, asked.actions) for one in (policy, loaded)), rtol=0, atol=1e-6)
