"""Which engine serves which exploration policy, and which engine a directory belongs to."""

from __future__ import annotations

import typing
from pathlib import Path

import pytest

from rewardloop.actions import fixed_actions
from rewardloop.errors import CorruptModel
from rewardloop.policies import load_policy, new_policy
from rewardloop.settings import ContinuousActions, ExperimentSettings, PolicySettings
from rewardloop.settings.schema import Exploration


@pytest.mark.parametrize("exploration", typing.get_args(Exploration))
def test_every_exploration_policy_has_an_engine_that_loads_again(tmp_path: Path, exploration: Exploration) -> None:
    actions = ContinuousActions(low=0.0, high=1.0, cells=3) if exploration == "cats" else 3
    settings = ExperimentSettings(experiment="offers", actions=actions, policy=PolicySettings(exploration=exploration))
    policy = new_policy(settings, seed=0)
    policy.save(tmp_path)

    loaded = load_policy(tmp_path)

    assert type(loaded) is type(policy)
    assert sum(loaded.pmf({}, fixed_actions(["1", "2", "3"]))) == pytest.approx(1.0)


@pytest.mark.parametrize(("actions", "engine"), [(3, "RidgePolicy"), (None, "FeaturedPolicy")])
def test_the_default_is_native_for_fixed_actions_and_for_those_that_requests_bring(actions: int | None, engine: str) -> None:
    assert type(new_policy(ExperimentSettings(experiment="offers", actions=actions), seed=0)).__name__ == engine


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (b'{"engine": "rigde", "format": 1, "files": {}}', "did you mean `ridge`"),
        (b'{"engine": "ridge", "format": 2, "files": {}}', "format 2"),
        (b'{"engine": "ridge", "format": 1, "files": {"ridge.json": "0"}}', "ridge.json"),
        (b"\x80\x04]", "policy.json"),
        (b"[" * 100_000, "policy.json"),
    ],
)
def test_a_directory_that_no_engine_wrote_is_refused(tmp_path: Path, header: bytes, expected: str) -> None:
    (tmp_path / "policy.json").write_bytes(header)
    with pytest.raises(CorruptModel, match=expected):
        load_policy(tmp_path)


def test_a_directory_without_a_policy_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorruptModel, match=r"policy\.json"):
        load_policy(tmp_path)
