"""The neural policy keeps the contract of policies, in every shape its design takes."""

from __future__ import annotations

from rewardloop.policies import Policy
from rewardloop.policies.native.neural import NeuralPolicy
from rewardloop.settings import ExperimentSettings, LearnerSettings, PolicySettings
from rewardloop.testing.policy import PolicyContract


def neural(seed: int, max_columns: int = 256) -> Policy:
    policy = PolicySettings(exploration="neural", learner=LearnerSettings(max_columns=max_columns))
    return NeuralPolicy.new(ExperimentSettings(experiment="offers", actions=("a", "b", "c"), policy=policy), seed)


class TestNeural(PolicyContract):
    def make_policy(self, seed: int) -> Policy:
        return neural(seed)


class TestWithoutRoomForProducts(PolicyContract):
    def make_policy(self, seed: int) -> Policy:
        return neural(seed, max_columns=12)
