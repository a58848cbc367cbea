"""The policy of docs/policies.md is as short as it says and keeps the contract; the engines of its table exist."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, get_args

from rewardloop.policies import Policy
from rewardloop.settings.schema import Exploration
from rewardloop.testing.policy import PolicyContract

PAGE = (Path(__file__).parents[2] / "docs" / "policies.md").read_text()
POLICY, CONTRACT = re.findall(r"```python\n(.*?)```", PAGE, flags=re.S)


def names() -> dict[str, Any]:
    found: dict[str, Any] = {}
    exec(POLICY, found)
    exec(CONTRACT, found)
    return found


class TestThePolicyOfThePage(PolicyContract):
    def make_policy(self, seed: int) -> Policy:
        made: Policy = names()["TestKindMeans"]().make_policy(seed)
        return made


def test_its_class_is_at_most_25_lines() -> None:
    lines = [line for line in POLICY[POLICY.index("class ") :].splitlines() if line.strip()]
    assert len(lines) <= 25


def test_every_exploration_policy_is_in_the_table() -> None:
    table = PAGE[PAGE.index("| `policy.exploration`") : PAGE.index("[The testbed]")]
    assert set(re.findall(r"`([a-z_]+)`", table)) >= set(get_args(Exploration))
