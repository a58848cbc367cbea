from __future__ import annotations

import numpy as np

from rewardloop.actions import fixed_actions, parse_actions
from rewardloop.policies import Policy
from rewardloop.policies.uniform import UniformPolicy
from rewardloop.testing.policy import PolicyContract


class TestUniform(PolicyContract):
    learns = False

    def make_policy(self, seed: int) -> Policy:
        return UniformPolicy()


def test_sets_of_different_sizes_stand_one_after_the_other() -> None:
    offered = [fixed_actions(["a", "b"]), parse_actions(b'[{"id": "a"}]'), fixed_actions(["a", "b", "c", "d"])]

    pmf = UniformPolicy().pmf_many([{}, {}, {}], offered)

    np.testing.assert_array_equal(pmf, [0.5, 0.5, 1.0, 0.25, 0.25, 0.25, 0.25])
