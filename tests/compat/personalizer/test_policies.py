"""Vowpal Wabbit's arguments and the settings that say the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from rewardloop.compat.personalizer.policies import parse_policy, render_policy
from rewardloop.errors import InvalidInput
from rewardloop.policies.vw.arguments import learner_arguments
from rewardloop.settings import ExperimentSettings, PolicySettings, checked

EXPLORATIONS = [
    "egreedy", "bag", "cover", "softmax", "squarecb", "regcb", "regcbopt", "rnd", "first", "synthcover",
    "lints", "linucb", "neural", "uniform",
]  # fmt: skip


@pytest.mark.parametrize("exploration", EXPLORATIONS)
def test_what_is_told_is_understood_again(exploration: str) -> None:
    settings = ExperimentSettings(experiment="shop", policy=PolicySettings(exploration=exploration, floor=0.1))  # type: ignore[arg-type]
    assert parse_policy(render_policy(settings), 0.1) == settings.policy


@pytest.mark.parametrize(
    "arguments",
    [
        "--cb_explore_adf --epsilon 0.2 --power_t 0 -l 0.001 --cb_type mtr -q ::",
        "--cb_explore_adf --quadratic GT --quadratic MR --cb_type ips --l1 1e-06 -l 0.001 --power_t 0.5 --epsilon 0.2",
        "--cb_explore_adf --bag=5 --greedify -b18 --interactions sa",
        "--cb_explore_adf --squarecb --elim --gamma_scale 100 --coin",
    ],
)
def test_policies_of_the_service_become_settings_that_vowpal_wabbit_takes(arguments: str) -> None:
    policy = parse_policy(arguments, 0.05)
    settings = checked(ExperimentSettings(experiment="shop", policy=policy))
    assert policy.floor == 0.05
    assert learner_arguments(settings, crossed=1)
    assert parse_policy(render_policy(settings), 0.05) == policy


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--cb_explore_adf --marginal f", "`--marginal` cannot be said"),
        ("--epsilo 0.2", "did you mean `--epsilon`"),
        ("--bag 5 --epsilon 0.2", "explorationPercentage explores beside it"),
        ("--bag 5 --cover 3", "one way to explore"),
        ("--epsilon 0.2 --epsilon 0.3", "once"),
        ("--epsilon", "a value after `--epsilon`"),
        ("--epsilon 7", "Expected a number from 0 to 1 after `--epsilon`, got `7`"),
        ("--power_t x", "Expected a number"),
        ("-q abc", "in pairs"),
        ("-d /etc/passwd", "`-d` cannot be said"),
        ("-f model", "cannot be said"),
        ("--squarecb 3", "no value"),
        ("train.dat", "cannot be said"),
        ("'", "Expected Vowpal Wabbit arguments"),
    ],
)
def test_what_cannot_be_said_is_refused_by_name(arguments: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        parse_policy(arguments, 0.02)


@given(st.text(alphabet=st.sampled_from("-lbq epsiloncbtyemr=0.5:'\\x\n")) | st.text())
def test_any_text_is_settings_or_refused(arguments: str) -> None:
    try:
        policy = parse_policy(arguments, 0.02)
    except InvalidInput:
        return
    settings = ExperimentSettings(experiment="shop", policy=policy)
    assert replace(parse_policy(render_policy(settings), 0.02)).exploration == policy.exploration
