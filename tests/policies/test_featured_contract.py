"""The native engine over actions with features keeps the contract of policies."""

from __future__ import annotations

from rewardloop.actions import ActionSet, parse_actions
from rewardloop.policies import Policy
from rewardloop.policies.native.featured import FeaturedPolicy
from rewardloop.settings import ExperimentSettings, PolicySettings
from rewardloop.settings.schema import Exploration
from rewardloop.testing.policy import PolicyContract

FILMS = parse_actions(b'[{"id": "heat", "features": {"genre": "crime", "length": 170}}, "alien", {"id": "ronin"}]')


def featured(seed: int, exploration: Exploration) -> Policy:
    return FeaturedPolicy.new(ExperimentSettings(experiment="films", policy=PolicySettings(exploration=exploration)), seed)


class TestThompson(PolicyContract):
    def make_policy(self, seed: int) -> Policy:
        return featured(seed, "lints")

    def make_actions(self) -> ActionSet:
        return FILMS


class TestUpperConfidence(PolicyContract):
    def make_policy(self, seed: int) -> Policy:
        return featured(seed, "linucb")

    def make_actions(self) -> ActionSet:
        return FILMS
