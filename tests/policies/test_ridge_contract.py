"""The native engine keeps the contract of policies, in every shape its design takes."""

from __future__ import annotations

from rewardloop.policies import Policy
from rewardloop.policies.native.ridge import RidgePolicy
from rewardloop.settings import ExperimentSettings, LearnerSettings, PolicySettings
from rewardloop.settings.schema import Exploration
from rewardloop.testing.policy import PolicyContract

ARMS = ("a", "b", "c")


def ridge(seed: int, exploration: Exploration, max_columns: int = 256) -> Policy:
    policy = PolicySettings(exploration=exploration, learner=LearnerSettings(max_columns=max_columns))
    return RidgePolicy.new(ExperimentSettings(experiment="offers", actions=ARMS, policy=policy), seed)


class TestThompson(PolicyContract):
    def make_policy(self, seed: int) -> Policy:
        return ridge(seed, "lints")


class TestUpperConfidence(PolicyContract):
    def make_policy(self, seed: int) -> Policy:
        return ridge(seed, "linucb")


class TestWithoutRoomForProducts(PolicyContract):
    def make_policy(self, seed: int) -> Policy:
        return ridge(seed, "lints", max_columns=12)


class TestWithOneSharedColumn(PolicyContract):
    learns = False

    def make_policy(self, seed: int) -> Policy:
        return ridge(seed, "linucb", max_columns=1)
