"""What a search tries: every proposal is a configuration that can be served."""

from __future__ import annotations

import optuna
import pytest

from rewardloop.policies import new_policy
from rewardloop.settings import ContinuousActions, ExperimentSettings, PolicySettings, checked
from rewardloop.testbed.proposing import Space, propose

optuna.logging.set_verbosity(optuna.logging.ERROR)
SETTINGS = (
    (ExperimentSettings(experiment="offers", actions=("a", "b")), 2),
    (ExperimentSettings(experiment="films", policy=PolicySettings(exploration="regcbopt", shortlist=100)), 1_000),
    (ExperimentSettings(experiment="films", policy=PolicySettings(exploration="egreedy", floor=0.0)), 1_000),
    (ExperimentSettings(experiment="dose", actions=ContinuousActions(low=0, high=1, cells=2)), 2),
    (ExperimentSettings(experiment="dose", actions=ContinuousActions(low=0, high=1, cells=32)), 32),
)


@pytest.mark.parametrize(("settings", "n_actions"), SETTINGS)
def test_all_that_is_proposed_is_in_order_and_every_kind_is(settings: ExperimentSettings, n_actions: int) -> None:
    space, study = Space.of(settings, n_actions), optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    proposed = [propose(study.ask(), settings, space) for _ in range(60)]
    for policy in proposed:
        new_policy(checked(ExperimentSettings(experiment="tried", actions=settings.actions, policy=policy)), seed=0)
    assert {policy.exploration for policy in proposed} == set(space.explorations)
    assert {policy.shortlist for policy in proposed} == {None, *space.shortlists}


def test_a_shortlist_is_for_many_actions_that_requests_bring_and_a_tree_for_numbers() -> None:
    kinds = [Space.of(*pair) for pair in SETTINGS]
    assert [kind.shortlists for kind in kinds] == [(), (20, 50, 200), (), (), ()]
    assert ["cats" in kind.explorations for kind in kinds] == [False, False, False, True, True]
    assert len(set(map(str, kinds[:2]))) == 2
