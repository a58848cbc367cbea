"""The engine of continuous actions keeps the contract of policies."""

from __future__ import annotations

from rewardloop.actions import ActionSet, celled_actions
from rewardloop.cells import Cells
from rewardloop.policies import Policy
from rewardloop.policies.native.cells import CellsPolicy
from rewardloop.settings import ContinuousActions, ExperimentSettings, PolicySettings
from rewardloop.settings.schema import Exploration
from rewardloop.testing.policy import PolicyContract


def cells(seed: int, exploration: Exploration) -> Policy:
    actions = ContinuousActions(low=20.0, high=35.0, cells=4)
    return CellsPolicy.new(
        ExperimentSettings(experiment="heat", actions=actions, policy=PolicySettings(exploration=exploration)), seed
    )


class TestThompson(PolicyContract):
    def make_policy(self, seed: int) -> Policy:
        return cells(seed, "lints")

    def make_actions(self) -> ActionSet:
        return celled_actions(Cells(20.0, 35.0, 4))


class TestUpperConfidence(PolicyContract):
    def make_policy(self, seed: int) -> Policy:
        return cells(seed, "linucb")

    def make_actions(self) -> ActionSet:
        return celled_actions(Cells(20.0, 35.0, 4))
